"""Whatever several threads of a fresh process do first is safe: a hang fails here, by a limit."""

import subprocess
import sys

import pytest

from tests.patience import PATIENCE

START = """
import io, os, sys, threading
import pixelift

def opened():
    return pixelift.Upscaler("swift", scale=2, threads=1)

def enlarged():
    import numpy as np
    return opened().upscale(np.zeros((9, 8, 3), np.uint8))

def fixed_tiles():
    import numpy as np
    upscaler = pixelift.Upscaler("balanced", scale=2, threads=1)
    return [upscaler.upscale(np.zeros((9, 8, 3), np.uint8)) for _ in range(3)]

def read():
    return pixelift.upscale(pixelift.read_picture({photo!r}), scale=2, model="swift", threads=1)

def measured():
    import numpy as np
    hr = np.zeros((16, 16, 3), np.uint8)
    return pixelift.psnr(hr, hr, shave=2), pixelift.ssim(hr, hr, shave=2), pixelift.list_models()

failed, ready = [], threading.Barrier(4)

def start(work):
    try:
        ready.wait()
        work()
    except BaseException as error:
        failed.append(repr(error))

threads = [threading.Thread(target=start, args=(work,)) for work in ({works})]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
sys.exit("; ".join(failed) or None)
"""


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    image_module = pytest.importorskip("PIL.Image")
    path = tmp_path_factory.mktemp("photo") / "a.png"
    image_module.linear_gradient("L").resize((24, 16)).convert("RGB").save(path)
    return str(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "works",
    [
        "opened, opened, opened, opened",
        "enlarged, enlarged, fixed_tiles, fixed_tiles",
        "read, enlarged, measured, opened",
        "read, read, measured, measured",
    ],
)
@pytest.mark.parametrize("attempt", range(2))
def test_threads_may_all_begin_at_once(works, attempt, photo):
    del attempt  # what goes wrong here goes wrong in one process of several
    code = START.format(photo=photo, works=works)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
