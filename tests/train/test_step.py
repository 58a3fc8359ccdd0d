import pytest
import torch

from pixelift.data.pairs import Batch
from pixelift.models.repnet import RepNet
from pixelift.train.config import DistillSettings, OptimSettings, Recipe
from pixelift.train.ranks import Ranks
from pixelift.train.step import rate_of, train_step


@pytest.fixture
def batch():
    torch.manual_seed(1)
    lr, hr = (torch.randint(0, 256, (2, 3, n, n), dtype=torch.uint8) for n in (8, 16))
    return Batch(lr, hr)


def test_a_step_notes_its_loss_and_moves_network_and_mean(training, batch):
    before = training.network.head.wide.detach().clone()
    assert train_step(Recipe(), training, batch, ranks=Ranks(), wishes=(True, False)) == (
        True,
        False,
    )
    assert (training.step, len(training.losses)) == (21, 1)
    assert training.losses[0] > 0
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
