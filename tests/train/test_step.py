import copy

import pytest
import torch

from pixelift.data.pairs import Batch
from pixelift.models.repnet import RepNet
from pixelift.train.begin import Training
from pixelift.train.config import DistillSettings, OptimSettings, Recipe
from pixelift.train.ranks import Ranks
from pixelift.train.step import rate_of, train_step


@pytest.fixture
def training():
    torch.manual_seed(0)
    network = RepNet(scale=2, width=4, depth=1)
    return Training(
        network=network,
        forward=network,
        mean=copy.deepcopy(network),
        optimizer=torch.optim.Adam(network.parameters()),
        device=torch.device("cpu"),
        is_bf16=False,
    )


def batch_of(lr):
    return Batch(lr, torch.randint(0, 256, (2, 3, 16, 16), dtype=torch.uint8))


@pytest.fixture
def batch():
    torch.manual_seed(1)
    return batch_of(torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8))


def test_a_step_notes_its_loss_and_moves_network_and_mean(training, batch):
    before = training.network.head.wide.detach().clone()
    assert train_step(Recipe(), training, batch, ranks=Ranks(), wishes=(True, False)) == (
        True,
        False,
    )
    assert training.step == 1
    fresh = RepNet(scale=2, width=4, depth=1)
    fresh.head.wide.data = before
    expected = (training.losses[0] > 0, len(training.losses))
    assert expected == (True, 1)
    assert not torch.equal(training.network.head.wide, before)
    assert not torch.equal(training.mean.head.wide, before)


def test_the_rate_of_the_recipe_is_the_rate_of_the_step(training, batch):
    recipe = Recipe(optim=OptimSettings(steps=100, warmup=10, learning_rate=0.5, final_rate=0.1))
    training.step = 4
    train_step(recipe, training, batch, ranks=Ranks())
    assert training.optimizer.param_groups[0]["lr"] == rate_of(recipe.optim, 4) == 0.25
    assert rate_of(recipe.optim, 99) == pytest.approx(0.1)


@pytest.mark.parametrize("weight", [0.0, 0.25, 1.0])
def test_the_loss_is_shared_between_photos_and_teacher(training, batch, weight):
    teacher = RepNet(scale=2, width=4, depth=2).eval()
    training.teacher = teacher
    lr, hr = batch.lr / 255, batch.hr / 255
    with torch.no_grad():
        sr = training.network(lr)
        photos, taught = (sr - hr).abs().mean(), (sr - teacher(lr)).abs().mean()
    recipe = Recipe(distill=DistillSettings(weight=weight))
    train_step(recipe, training, batch, ranks=Ranks())
    assert training.losses[0].item() == pytest.approx(
        ((1 - weight) * photos + weight * taught).item(), rel=1e-5
    )
    assert all(weight.grad is None for weight in teacher.parameters())
