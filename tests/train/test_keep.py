import math

import pytest
import torch

from pixelift.errors import TrainingError
from pixelift.train.checkpoint import load_checkpoint
from pixelift.train.config import OptimSettings, Recipe
from pixelift.train.keep import check_weights, drain_losses, save_state

RECIPE = Recipe(optim=OptimSettings(steps=50, learning_rate=1e-3, warmup=0, schedule="constant"))


def test_losses_are_averaged_once(training, tmp_path):
    training.losses = [torch.tensor(0.1), torch.tensor(0.3)]
    assert drain_losses(RECIPE, training, tmp_path) == pytest.approx(0.2)
    assert training.losses == []


@pytest.mark.parametrize(
    ("losses", "words"),
    [
        ([0.1, 0.25, math.nan, math.nan], "nan; it was 0.25 one step before at step 19 of 50"),
        ([math.inf], "the loss became inf at step 20 of 50 (learning rate 0.001)"),
    ],
)
def test_the_first_loss_that_is_no_number_is_named(training, tmp_path, losses, words):
    training.losses = [torch.tensor(loss) for loss in losses]
    for check in (drain_losses, check_weights):
        with pytest.raises(TrainingError) as error:
            check(RECIPE, training, tmp_path)
        assert words in str(error.value)
        assert "There is no checkpoint yet: start again with a lower rate" in str(error.value)
        assert "--set optim.learning_rate=0.0003, or a longer rise" in str(error.value)


def test_weights_that_are_no_numbers_are_found(training, tmp_path):
    check_weights(RECIPE, training, tmp_path)
    save_state(RECIPE, training, tmp_path)
    with torch.no_grad():
        training.network.body[0].bias[1] = math.nan
    with pytest.raises(TrainingError, match=r"no longer finite at step 20.*of step 20 is intact"):
        check_weights(RECIPE, training, tmp_path)


def test_losses_that_are_in_no_line_yet_are_saved(training, tmp_path):
    training.losses = [torch.tensor(0.5), torch.tensor(0.25)]
    save_state(RECIPE, training, tmp_path)
    assert load_checkpoint(tmp_path).losses.tolist() == [0.5, 0.25]
    assert load_checkpoint(tmp_path).step == 20


def test_the_critic_is_saved_where_there_is_one(training, tmp_path):
    save_state(RECIPE, training, tmp_path)
    assert load_checkpoint(tmp_path).critic == {}
    save_state(RECIPE, training, tmp_path, critic={"skipped": 2})
    assert load_checkpoint(tmp_path).critic == {"skipped": 2}
