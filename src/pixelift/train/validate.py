"""Measuring a network on the validation photos while it is trained."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch import nn

from pixelift.degrade.apply import apply_plan
from pixelift.degrade.draw import PRESETS, Degradation, draw_plan
from pixelift.degrade.plan import Plan
from pixelift.image.crops import downscale_crops
from pixelift.image.geometry import Box, Margins
from pixelift.image.mirror import cut_mirrored
from pixelift.metrics.psnr import psnr
from pixelift.patches.dataset import PreparedSet

PLANS = "valid_plans.json"
"""What was done to the validation photos of a run that was trained on degraded pictures."""

Pairs = list[tuple[torch.Tensor, np.ndarray]]
"""LR (1, C, H, W) float32 and HR (H, W, C) float32, both in [0, 1]; C is 3, or 1 for luma."""


def validation_plans(
    prepared: PreparedSet, *, scale: int, degradation: Degradation
) -> dict[str, Plan]:
    """Draw what happens to each validation photo.

    The bytes of the photo are the seed: a photo has the same plan in every set and training.

    Args:
        prepared: The set.
        scale: LR to HR factor.
        degradation: How often and how strongly.

    Returns:
        Plans by the name of the photo.
    """
    return {
        photo.name: draw_plan(
            degradation, scale=scale, rng=np.random.default_rng(int(photo.sha256[:32], 16))
        )
        for photo in prepared.manifest.pictures
        if photo.split == "valid"
    }


def write_plans(path: Path, plans: Mapping[str, Plan]) -> None:
    """Record what was done to the validation photos, as JSON by the name of the photo.

    Args:
        path: The file.
        plans: The plans.
    """
    path.write_bytes(msgspec.json.format(msgspec.json.encode(plans), indent=1) + b"\n")


def validation_crops(
    prepared: PreparedSet,
    *,
    scale: int,
    side: int,
    context: int = 0,
    degradation: Degradation = PRESETS["clean"],
    luma: bool = False,
) -> Pairs:
    """Cut the centre of each validation photo; no content measure has a say in it.

    Args:
        prepared: The set.
        scale: LR to HR factor.
        side: Side of the crop in HR pixels; smaller photos are taken whole.
        context: LR pixels that are added on each side, mirrored where the photo ends: those that
            the network sees. With as much shaved again, networks that see more or less are
            measured on the same pixels.
        degradation: How LR is made, by `validation_plans`.
        luma: Whether the crops show luma alone; those of a set of luma always do.

    Returns:
        The pairs.
    """
    plans = validation_plans(prepared, scale=scale, degradation=degradation)
    names = {photo.number: photo.name for photo in prepared.manifest.pictures}
    pairs = []
    for number in prepared.numbers("valid"):
        hr = prepared.luma(number) if luma else prepared.picture(number)
        height, width = (min(side, n) // scale * scale for n in hr.shape[:2])
        top = (hr.shape[0] - height) // 2 // scale * scale
        left = (hr.shape[1] - width) // 2 // scale * scale
        box = Box(top, left, height, width).grown(Margins.around(context * scale))
        wide = np.ascontiguousarray(cut_mirrored(hr, box))
        plan = plans[names[number]]
        if plan.is_clean:
            lr = downscale_crops([wide], [Box.whole(box.size)], scale=scale)
        else:
            lr = apply_plan(wide, plan)[None]
        lr_nchw = torch.from_numpy(lr).permute(0, 3, 1, 2).float() / 255
        pairs.append((lr_nchw, wide.astype(np.float32) / np.float32(255)))
    return pairs


@torch.no_grad()
def measure(network: nn.Module, pairs: Pairs, *, shave: int) -> float:
    """Average the PSNR-Y of a network over pairs; a luma plane is compared as it is.

    Args:
        network: The network, on the CPU or elsewhere.
        pairs: What `validation_crops` returned, or the like.
        shave: Pixels cut from each edge, in HR pixels; at least the network's radius times the
            scale, so that the crop's border does not count.

    Returns:
        Decibels.
    """
    device = next(network.parameters()).device
    values = []
    for lr, hr in pairs:
        sr = network(lr.to(device)).float().cpu()[0].permute(1, 2, 0).numpy()
        values.append(psnr(sr, hr, shave=shave, channel="y" if hr.shape[2] == 3 else "rgb"))
    return float(np.mean(values))
