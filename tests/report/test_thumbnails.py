import base64
import io

import numpy as np
import pytest
from PIL import Image

from pixelift.report.thumbnails import (
    HEAT_STEPS,
    THUMBNAIL_SIDES,
    HeatMap,
    HeatScale,
    cutout_uri,
    heat_colors,
    thumbnail_uri,
    window,
)
from tests.drawn_set import patch_rows

SCALE = HeatScale(1.0, 1000.0)


def decoded(uri):
    head, _, body = uri.partition(",")
    image = Image.open(io.BytesIO(base64.b64decode(body, validate=True)))
    assert head == f"data:image/{image.format.lower()};base64"
    image.load()
    return image


def test_the_hottest_cell_is_where_the_patch_of_highest_error_is(frozen):
    rows = patch_rows(0, (200, 300))
    rows["restoration_error"] = 5
    rows["restoration_error"][(rows["top"] == 96) & (rows["left"] == 144)] = 900
    heat = HeatMap.of(frozen(rows), (200, 300, 3), side=48, scale=SCALE)
    assert np.unravel_index(
        np.argmax(np.where(heat.cells < HEAT_STEPS, heat.cells, 0)), (5, 7)
    ) == (
        2,
        3,
    )
    # In the picture itself, the brightest square lies there too, whatever the size of a cell.
    image = decoded(heat.data_uri()).convert("RGBA")
    bright = np.asarray(image, np.float64)[..., :3].sum(axis=2)
    bright[np.asarray(image)[..., 3] == 0] = 0
    y, x = np.unravel_index(np.argmax(bright), bright.shape)
    assert (y * 5 // bright.shape[0], x * 7 // bright.shape[1]) == (2, 3)


def test_rejected_patches_are_hatched_and_the_rest_of_the_photo_is_bare():
    rows = patch_rows(0, (100, 150))
    rows["reason"][0] = "flat"
    heat = HeatMap.of(rows, (100, 150, 3), side=48, scale=SCALE)
    assert heat.cells[0, 0] == HEAT_STEPS + 1
    assert (heat.cells[2] == HEAT_STEPS).all()
    assert (heat.cells[:, 3] == HEAT_STEPS).all()
    assert (heat.cells[:2, :3] < HEAT_STEPS).sum() == 5
    pixels = np.asarray(decoded(heat.data_uri()).convert("RGBA"))
    cell = pixels.shape[0] // 3
    hatched, bare = pixels[:cell, :cell], pixels[-cell:]
    assert len(np.unique(hatched.reshape(-1, 4), axis=0)) == 2
    assert (bare[..., 3] == 0).all()


def test_a_huge_photo_has_no_more_cells_than_a_thumbnail_shows():
    rows = patch_rows(0, (480, 48 * 600))
    rows["restoration_error"] = 5
    rows["restoration_error"][rows["left"] >= 48 * 300] = 500
    heat = HeatMap.of(rows, (480, 48 * 600, 3), side=48, scale=SCALE)
    assert heat.cells.shape == (2, 120)
    assert heat.cell_side == 48 * 5
    assert (heat.cells[:, :60] == SCALE.steps(np.array(5))).all()
    assert (heat.cells[:, 60:] == SCALE.steps(np.array(500))).all()


def test_cells_average_kept_patches_only():
    rows = patch_rows(0, (48, 48 * 256))
    rows["restoration_error"] = np.tile([9.0, 900.0], 128)
    rows["reason"][1::2] = "clipped"
    heat = HeatMap.of(rows, (48, 48 * 256, 3), side=48, scale=SCALE)
    assert (heat.cells == SCALE.steps(np.array(9.0))).all()


def test_a_photo_without_patches_is_bare():
    heat = HeatMap.of(patch_rows(0, (0, 0)), (40, 90, 3), side=48, scale=SCALE)
    assert (heat.cells == HEAT_STEPS).all()


def test_colours_grow_lighter_from_calm_to_hot():
    # Monotonic lightness is what keeps the order for every kind of colour blindness.
    linear = (heat_colors()[:, :3] / 255.0) ** 2.2
    assert (np.diff(linear @ [0.2126, 0.7152, 0.0722]) > 0).all()


@pytest.mark.parametrize("errors", [[], [0.0], [3.0, 3.0], [0.0, 1e6]])
def test_a_scale_spans_at_least_a_factor_of_ten(errors):
    scale = HeatScale.of(np.array(errors, np.float32))
    assert 0 < scale.low < scale.high
    assert scale.high / scale.low > 9.99


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(900, 1200), (1200, 500), (60, 80), (50, 4000)])
def test_thumbnails_fit_and_keep_their_shape(frozen, channels, size):
    picture = frozen(np.full((*size, channels), 77, np.uint8))
    image = decoded(thumbnail_uri(picture))
    assert image.mode == ("L" if channels == 1 else "RGB")
    assert image.width <= min(THUMBNAIL_SIDES[0], size[1])
    assert image.height <= min(THUMBNAIL_SIDES[1], size[0])
    assert image.width / image.height == pytest.approx(
        size[1] / size[0], rel=0.3 / image.height + 0.1
    )
    assert np.ptp(np.asarray(image)) == 0
    assert abs(int(np.asarray(image).max()) - 77) <= 1


def test_a_cutout_shows_its_place(frozen):
    picture = np.zeros((300, 400, 3), np.uint8)
    picture[100:196, 200:296] = (250, 10, 10)
    image = decoded(cutout_uri(frozen(picture), (100, 200), 96))
    assert image.size == (96, 96)
    assert np.abs(np.asarray(image).astype(int) - (250, 10, 10)).max() < 6


@pytest.mark.parametrize("place", [(0, 0), (0, 252), (252, 252), (96, 48)])
def test_a_window_holds_its_patch_and_stays_in_the_photo(place):
    top, left = window(place, (300, 300), side=48)
    for start, at in ((top, place[0]), (left, place[1])):
        assert 0 <= start <= at
        assert at + 48 <= start + 96 <= 300


def test_a_window_of_a_small_photo_starts_at_its_corner():
    assert window((0, 0), (60, 48), side=48) == (0, 0)
