"""What a recipe makes of a prepared set: crops to learn from, and crops to be measured on."""

import torch

from pixelift.data.degraded import Degrader
from pixelift.data.halved import Halver
from pixelift.data.pairs import PairDataset
from pixelift.data.sample import CropSampler
from pixelift.degrade.draw import resolve
from pixelift.errors import WrongDatasetError
from pixelift.models.spec import build_model
from pixelift.patches.dataset import PreparedSet
from pixelift.train.config import Recipe
from pixelift.train.validate import Pairs, validation_crops


def training_pairs(
    recipe: Recipe, prepared: PreparedSet, *, part: tuple[int, int] = (0, 1)
) -> PairDataset:
    """Draw what the steps of a training see.

    Args:
        recipe: All settings.
        prepared: The set.
        part: Which share of each batch, counted from 0, and of how many.

    Returns:
        The batches by the number of their step; the same for the same recipe and set.

    Raises:
        WrongDatasetError: The set does not fit the recipe.
    """
    scale, data, seed = recipe.model.scale, recipe.data, recipe.run.seed
    sampler = CropSampler(
        prepared, scale=scale, hr_patch=data.lr_patch * scale, rule=data.sampling, seed=seed
    )
    degrader = Degrader(resolve(data.degrade), data.clean_share, scale, seed)
    return PairDataset(
        prepared,
        sampler,
        scale=scale,
        batch=data.batch,
        degrader=degrader,
        halver=Halver(data.halved_share, scale, seed),
        part=part,
        luma=recipe.model.channels == 1,
    )


def validation_pairs(recipe: Recipe, prepared: PreparedSet) -> Pairs:
    """Cut what a training is measured on.

    Args:
        recipe: All settings.
        prepared: The set.

    Returns:
        A pair for each validation photo, with as much around it as the network sees.

    Raises:
        WrongDatasetError: The set holds no validation photos.
    """
    model = recipe.model
    with torch.random.fork_rng(devices=()):  # what is drawn here must not move what is drawn later
        network = build_model(model.architecture, scale=model.scale, **model.dials)
    pairs = validation_crops(
        prepared,
        scale=model.scale,
        side=recipe.run.valid_crop,
        context=int(network.radius),  # type: ignore[arg-type]
        degradation=resolve(recipe.data.degrade),
        luma=model.channels == 1,
    )
    if not pairs:
        raise WrongDatasetError(
            f"{prepared.folder} holds no validation photos. Prepare it again with --valid FOLDER."
        )
    return pairs
