import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import peers

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def row(name, kind, *, ms, psnr_y, ssim_y=0.9, precision="f32"):
    quality = {"Set5": {"psnr_y": psnr_y, "ssim_y": ssim_y}, "B100": {"psnr_y": 30, "ssim_y": 0.8}}
    if kind == "tier":
        quality["B100"] = {"psnr_y": 31, "ssim_y": 0.81}
    fields = {"name": name, "kind": kind, "scale": 2, "precision": precision, "ms": ms}
    return fields | {"quality": quality}


def test_a_tier_beats_a_peer_only_in_quality_and_time_together():
    rows = [
        row("swift", "tier", ms=10, psnr_y=36, ssim_y=0.95),
        row("fine", "tier", ms=90, psnr_y=38, ssim_y=0.97),
        row("slow", "dnn", ms=50, psnr_y=35),
        row("good", "dnn", ms=50, psnr_y=37),
        row("quick", "resizer", ms=1, psnr_y=33, precision="u8"),
    ]
    verdicts = {verdict["name"]: verdict["f32"] for verdict in peers.compare(rows)}
    assert verdicts["slow"]["beaten_by"] == ["swift"]
    assert verdicts["good"] == {"beaten_by": [], "better": ["fine"], "faster": ["swift"]}
    assert verdicts["quick"]["beaten_by"] == verdicts["quick"]["faster"] == []


def test_better_means_better_in_both_measures_on_every_set():
    tier, peer = row("a", "tier", ms=1, psnr_y=36, ssim_y=0.9), row("b", "dnn", ms=1, psnr_y=35)
    assert not peers.is_better(tier, peer)
    tier["quality"]["Set5"]["ssim_y"] = 0.91
    assert peers.is_better(tier, peer)
    tier["quality"]["B100"]["psnr_y"] = 29.9
    assert not peers.is_better(tier, peer)


def test_a_peer_of_ours_may_use_bf16_where_the_tier_does():
    rows = [
        row("swift", "tier", ms=20, psnr_y=36, ssim_y=0.95),
        row("swift", "tier", ms=10, psnr_y=36, ssim_y=0.95, precision="bf16"),
        row("edsr", "run", ms=30, psnr_y=35),
        row("edsr", "run", ms=9, psnr_y=35, precision="bf16"),
    ]
    (verdict,) = peers.compare(rows)
    assert verdict["f32"]["beaten_by"] == ["swift"]
    assert verdict["bf16"]["beaten_by"] == []


def test_a_process_answers_each_line_with_the_time_of_a_call(tmp_path, rng):
    np.save(tmp_path / "lr.npy", rng.integers(0, 256, (9, 12, 3), dtype=np.uint8))
    spec = {"name": "Pillow bicubic", "kind": "resizer", "scale": 2, "precision": "u8"}
    spec |= {"threads": 1, "lr": str(tmp_path / "lr.npy")}
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / "peer_methods.py"), json.dumps(spec)],
        input="run\nrun\nmemory\n",
        capture_output=True,
        text=True,
        check=True,
    )
    ready, first, second, memory = map(json.loads, done.stdout.splitlines())
    assert ready == {"ready": True}
    assert first["ms"] > 0 < second["ms"]
    assert 5 < memory["peak_mib"] < 2000


@pytest.mark.parametrize("name", ["Pillow bicubic", "Pillow Lanczos", "OpenCV bicubic"])
def test_interpolation_enlarges_and_keeps_the_channels_in_order(name):
    if name.startswith("OpenCV"):
        pytest.importorskip("cv2")
    lr = np.full((6, 5, 3), (10, 100, 200), np.uint8)
    spec = peers.Spec(name, "resizer", 3, "u8", 1)
    assert np.array_equal(peers.open_method(spec)(lr), np.full((18, 15, 3), (10, 100, 200)))


def test_networks_of_opencv_keep_the_channels_in_order(shared):
    pytest.importorskip("cv2")
    file = shared / "peers" / "FSRCNN-small_x2.pb"
    lr = np.full((12, 12, 3), (60, 110, 180), np.uint8)
    spec = peers.Spec("OpenCV FSRCNN-small", "dnn", 2, "f32", 1, str(file))
    sr = peers.open_method(spec)(lr)[6:-6, 6:-6].reshape(-1, 3)
    assert np.abs(sr.astype(int) - (60, 110, 180)).max() < 12
