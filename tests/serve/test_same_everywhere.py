"""The same picture gives the same pixels, whichever way it takes."""

import io
import subprocess
import sys
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

import pixelift
from pixelift.cli.main import main
from pixelift.degrade.apply import apply_plan
from pixelift.degrade.plan import Plan, Resize
from pixelift.image.depth import to_u8
from pixelift.image.read import read_u8
from tests.serving import PATIENCE

HALL = Path(__file__).parents[2] / "examples" / "great_hall.jpg"


def shrunk(kernel):
    return Image.fromarray(
        apply_plan(read_u8(HALL), Plan(scale=4, steps=(Resize(hr_per_px=4.0, kernel=kernel),)))
    )


def compressed():
    stream = io.BytesIO()
    shrunk("cubic").save(stream, "JPEG", quality=30)
    return Image.open(stream)


# The usual network; the one for photos, since it would change much; the same, since JPEG is seen.
PICTURES = {
    "clean": lambda: shrunk("cubic"),
    "crisp": lambda: shrunk("bare-cubic"),
    "degraded": compressed,
}


def pixels_of(data):
    return np.asarray(Image.open(io.BytesIO(data)))


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_gives_the_same_result_by_every_way(name, service_url, tmp_path):
    path = tmp_path / f"{name}.png"
    PICTURES[name]().save(path)
    data, array = path.read_bytes(), np.asarray(Image.open(path))
    assert main(["upscale", str(path), "-s", "2", "-o", str(tmp_path / "large.png")]) == 0
    expected = np.asarray(Image.open(tmp_path / "large.png"))

    piped = subprocess.run(
        [sys.executable, "-m", "pixelift", "upscale", "-", "-s", "2"],
        input=data,
        capture_output=True,
        check=True,
    )
    upscaler = pixelift.Upscaler(scale=2)
    with httpx.Client(base_url=service_url, timeout=PATIENCE) as client:
        answer = client.post("/v1/upscale", files={"file": data}, data={"scale": "2"})
    assert answer.status_code == 200, answer.text
    made = {
        "a pipe": pixels_of(piped.stdout),
        "bytes": pixels_of(pixelift.upscale(data, scale=2)),
        "an array": upscaler.upscale(array),
        "a PIL image": np.asarray(upscaler.upscale(Image.open(path))),
        "a path": to_u8(pixelift.upscale(path, scale=2).pixels),
        "a Picture": to_u8(upscaler.upscale(pixelift.read_picture(path)).pixels),
        "HTTP": pixels_of(answer.content),
    }
    differing = {way: int(np.abs(p.astype(int) - expected).max()) for way, p in made.items()}
    assert set(differing.values()) == {0}, differing
