"""What holds for every engine, and the choice between them."""

import importlib.util
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import msgspec
import numpy as np
import pytest
from onnx.reference import ReferenceEvaluator

from pixelift.errors import ConfigError, EngineUnavailableError, OutOfMemoryError, WeightsError
from pixelift.image.depth import to_float, to_u8, to_u16
from pixelift.image.geometry import Box
from pixelift.image.resize import upscale
from pixelift.infer import engine as engine_module
from pixelift.infer.engine import ENGINES, engine_failure, engine_missing, load_failure, open_engine
from tests.fakes import make_card, make_model, run_tiled, write_model

MODES = [("openvino", "f32"), ("openvino", "bf16"), ("onnxruntime", "f32")]


@pytest.fixture(params=list(ENGINES))
def provider(request):
    """Hand out the name of each engine that is installed."""
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return request.param


@pytest.fixture(params=MODES, ids="-".join)
def mode(request):
    """Hand out each engine with each precision that this machine has."""
    provider, precision = request.param
    if importlib.util.find_spec(provider) is None:
        pytest.skip(f"{provider} is not installed")
    if precision == "bf16" and not has_bf16():
        pytest.skip("this processor does not compute in bf16")
    return {"provider": provider, "precision": precision}


def has_bf16():
    from pixelift.infer.engine_openvino import shared_core  # noqa: PLC0415  (where installed)

    core = shared_core()
    return "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def noise(rng, *shape):
    lr = rng.random(shape, dtype=np.float32)
    lr.flags.writeable = False
    return lr


@pytest.mark.parametrize("channels", [3, 1])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_an_engine_computes_the_graph(provider, scale, channels, tmp_path, rng):
    sizes = {"scale": scale, "channels": channels, "width": 8}
    card, path = write_model(tmp_path, **sizes)
    engine = open_engine(card, path, provider=provider, precision="f32")
    lr = noise(rng, 1, channels, 7, 10)
    (expected,) = ReferenceEvaluator(make_model(**sizes)).run(None, {"lr": lr})
    sr = engine(lr)
    assert sr.dtype == np.float32
    assert sr.shape == (1, channels, 7 * scale, 10 * scale)
    assert np.abs(expected - np.kron(lr, np.ones((scale, scale)))).max() > 0.1
    assert np.allclose(sr, expected, atol=1e-5)
    assert (engine.name, engine.precision, engine.card) == (provider, "f32", card)


def test_any_size_runs_in_any_order_and_results_are_the_callers_to_keep(mode, tmp_path, rng):
    card, path = write_model(tmp_path, width=8)
    engine = open_engine(card, path, **mode)
    inputs = [noise(rng, 1, 3, *size) for size in [(1, 1), (9, 4), (40, 50), (2, 70), (9, 4)]]
    first = [engine(lr) for lr in inputs]
    copies = [sr.copy() for sr in first]
    second = [engine(lr) for lr in inputs[::-1]][::-1]
    for before, after, copy in zip(first, second, copies, strict=True):
        assert np.array_equal(before, copy)
        assert np.array_equal(before, after)


@pytest.mark.parametrize(
    ("scale", "channels", "width", "depth"), [(4, 3, 48, 6), (3, 3, 28, 4), (2, 1, 16, 9)]
)
def test_tiled_equals_untiled(mode, scale, channels, width, depth, tmp_path, rng):
    card, path = write_model(
        tmp_path, scale=scale, channels=channels, width=width, depth=depth, gain=2
    )
    engine = open_engine(card, path, **mode)
    # Large areas and fine noise, so that the residual has something to do everywhere.
    coarse = np.kron(rng.random((12, 13, channels)), np.ones((8, 8, 1)))
    image = (0.7 * coarse + 0.3 * rng.random(coarse.shape)).astype(np.float32)[:91, :102]
    whole = run_tiled(engine, image, scale=scale, halo=card.radius, tile=1000)
    assert np.std(whole - upscale(image, scale)) > 0.02
    for tile, more in [(64, 0), (37, 3), (16, 1)]:
        tiled = run_tiled(engine, image, scale=scale, halo=card.radius + more, tile=tile)
        levels = np.abs(to_u8(tiled).astype(int) - to_u8(whole))
        assert levels.max() <= 1
        assert np.count_nonzero(levels) < levels.size / 10_000


def test_a_halo_below_the_radius_shows(provider, tmp_path, rng):
    card, path = write_model(tmp_path, width=16, depth=4, gain=2)
    engine = open_engine(card, path, provider=provider, precision="f32")
    image = noise(rng, 40, 40, 3)
    whole = run_tiled(engine, image, scale=2, halo=4, tile=1000)
    tiled = run_tiled(engine, image, scale=2, halo=2, tile=16)
    assert np.abs(to_u8(tiled).astype(int) - to_u8(whole)).max() > 1


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_trunk_of_zeros_leaves_bicubic_interpolation(mode, scale, tmp_path, rng):
    card, path = write_model(tmp_path, scale=scale, gain=0)
    engine = open_engine(card, path, **mode)
    image = noise(rng, 17, 14, 3)
    sr = run_tiled(engine, image, scale=scale, halo=card.radius, tile=8)
    assert np.allclose(sr, upscale(image, scale), atol=1e-6)


def test_several_threads_may_share_an_engine(mode, tmp_path, rng):
    card, path = write_model(tmp_path, width=8)
    engine = open_engine(card, path, **mode)
    inputs = [noise(rng, 1, 3, 10 + i % 5, 20) for i in range(24)]
    expected = [engine(lr) for lr in inputs]
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(engine, inputs))
    assert all(map(np.array_equal, results, expected))


def test_one_thread_computes_the_same(provider, tmp_path, rng):
    card, path = write_model(tmp_path, width=16)
    lr = noise(rng, 1, 3, 50, 60)
    one, two = (open_engine(card, path, provider=provider, threads=n)(lr) for n in (1, 2))
    assert np.array_equal(one, two)


def test_auto_takes_the_first_that_is_installed(tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime")
    card, path = write_model(tmp_path)
    real = importlib.util.find_spec
    missing = {"openvino"}
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name in missing else real(name)
    )
    assert open_engine(card, path).name == "onnxruntime"
    missing.add("onnxruntime")
    with pytest.raises(
        EngineUnavailableError, match=r"no engine is installed.*pip install openvino"
    ):
        open_engine(card, path)


def test_a_package_that_is_not_there_is_told_with_the_command(provider, tmp_path, monkeypatch):
    card, path = write_model(tmp_path)
    monkeypatch.setitem(sys.modules, provider, None)
    with pytest.raises(
        EngineUnavailableError, match=f"is not installed. Run: pip install {provider}"
    ):
        open_engine(card, path, provider=provider)


def test_a_package_that_is_broken_is_told_apart():
    err = engine_missing("openvino", ImportError("libtbb.so.12: cannot open\nshared object"))
    assert "is broken: libtbb.so.12: cannot open; shared object" in str(err)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"provider": "openvin"}, 'no engine "openvin". Did you mean "openvino"'),
        ({"precision": "fp16"}, 'no precision "fp16". Allowed: auto, f32, bf16'),
        ({"threads": 0}, "threads is 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, told, tmp_path):
    card, path = write_model(tmp_path)
    with pytest.raises(ConfigError, match=told):
        open_engine(card, path, **options)


def test_the_hash_is_checked_before_an_engine_sees_the_bytes(provider, tmp_path, monkeypatch):
    card, path = write_model(tmp_path)
    path.write_bytes(path.read_bytes() + b" ")
    monkeypatch.setattr(engine_module, "_engine_class", lambda _: pytest.fail)
    with pytest.raises(WeightsError, match="is damaged"):
        open_engine(card, path, provider=provider)


@pytest.mark.parametrize("keep", [0, 10, 2000, -40])
def test_bytes_that_are_no_network_are_refused_in_one_line(provider, tmp_path, keep):
    card, path = write_model(tmp_path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(WeightsError) as info:
        open_engine(msgspec.structs.replace(card, sha256=""), path, provider=provider)
    assert "\n" not in str(info.value)
    assert str(info.value).startswith(f"{path}: the file is damaged")


def test_a_card_of_another_scale_is_noticed(provider, tmp_path, rng):
    _, path = write_model(tmp_path, scale=2)
    engine = open_engine(make_card(scale=3), path, provider=provider)
    with pytest.raises(WeightsError, match="do not belong together"):
        engine(noise(rng, 1, 3, 8, 8))


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 1, 8, 8), (2, 3, 8, 8), (1, 3, 0, 8)])
def test_an_array_the_network_was_not_made_for_is_refused(provider, shape, tmp_path):
    card, path = write_model(tmp_path)
    with pytest.raises(ValueError, match=r"takes \(1, 3, H, W\)"):
        open_engine(card, path, provider=provider)(np.zeros(shape, np.float32))


@pytest.mark.parametrize(
    "err",
    [
        MemoryError(),
        RuntimeError("Exception from x.cpp:1:\nstd::bad_alloc\n"),
        RuntimeError("a.cc:360 Failed to allocate memory for requested buffer of size 2"),
        RuntimeError("[CPU] Convolution node with name 'conv1/WithoutBiases' can't alloc"),
        RuntimeError("Resource temporarily unavailable"),
    ],
)
def test_out_of_memory_is_recognised_in_the_words_of_each_engine(err):
    failure = engine_failure(err, shape=(1, 3, 20, 30))
    assert isinstance(failure, OutOfMemoryError)
    assert "30x20" in str(failure)


def test_other_failures_are_told_in_one_line():
    failure = engine_failure(
        RuntimeError("Exception from a.cpp:1:\nno kernel\n\n"), shape=(1, 3, 2, 2)
    )
    assert isinstance(failure, WeightsError)
    assert "2x2: no kernel." in str(failure)
    assert "no reason given" in str(load_failure(RuntimeError("")))


OUT_OF_MEMORY = """
import resource, sys
import numpy as np
from pathlib import Path
from pixelift.infer.engine import open_engine
from pixelift.infer.tiling import run_tiled
from pixelift.zoo.store import find_model

card, path = find_model(sys.argv[1])
engine = open_engine(card, path, provider=sys.argv[2], precision=sys.argv[3], threads=2)
shapes = []
def restore(tile, keep):
    lr = np.ascontiguousarray(tile.transpose(2, 0, 1)[None])
    shapes.append(lr.shape[2:])
    return engine(lr)[0].transpose(1, 2, 0)[keep.slices]
image = np.random.default_rng(0).random((700, 600, 3), dtype=np.float32)
expected = run_tiled(restore, image, scale=2, halo=3, tile=64)
shapes.clear()
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
_, most = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (used + 100_000_000, most))
result = run_tiled(restore, image, scale=2, halo=3, tile=700)
resource.setrlimit(resource.RLIMIT_AS, (most, most))
assert np.array_equal(result, expected)
assert len(set(shapes)) > 1, shapes
print("survived")
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space as Linux does")
def test_memory_that_runs_out_for_real_gives_smaller_tiles(mode, tmp_path):
    _, path = write_model(tmp_path, width=64)
    command = [sys.executable, "-c", OUT_OF_MEMORY, path, mode["provider"], mode["precision"]]
    # One heap: each thread's own would reserve address space that it does not use.
    environment = {**os.environ, "MALLOC_ARENA_MAX": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.stdout == "survived\n", done.stderr


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [3, 1])
def test_samples_give_what_planes_give(mode, channels, dtype, tmp_path, rng):
    card, path = write_model(tmp_path, scale=3, channels=channels, width=8)
    engine = open_engine(card, path, **mode)
    lr = rng.random((11, 9, channels), dtype=np.float32)
    lr = {np.uint8: to_u8, np.uint16: to_u16, np.float32: to_float}[dtype](lr)
    keep = Box(top=3, left=6, height=24, width=18)
    engine.samples(lr, keep=keep)
    sr = engine.samples(lr, keep=keep)  # of one size for the second time: another way inside
    planes = engine(np.ascontiguousarray(to_float(lr).transpose(2, 0, 1)[None]))
    expected = planes[0].transpose(1, 2, 0)[keep.slices]
    assert sr.dtype == dtype
    assert sr.shape == (24, 18, channels)
    if dtype == np.float32:
        assert np.array_equal(sr, expected)
    else:
        rounded = to_u8(expected) if dtype == np.uint8 else to_u16(expected)
        # 16 bits show which products float32 adds in one step.
        allowed = 1 if dtype == np.uint16 else 0
        assert np.abs(sr.astype(int) - rounded.astype(int)).max() <= allowed


def test_samples_of_another_kind_are_refused(provider, tmp_path):
    card, path = write_model(tmp_path)
    engine = open_engine(card, path, provider=provider)
    keep = Box(0, 0, 4, 4)
    with pytest.raises(ValueError, match=r"takes \(H, W, 3\) and was given \(4, 4, 1\)"):
        engine.samples(np.zeros((4, 4, 1), np.uint8), keep=keep)
    with pytest.raises(ValueError, match="was given int64"):
        engine.samples(np.zeros((4, 4, 3), np.int64), keep=keep)


def test_what_lies_beyond_black_and_white_is_clipped(provider, tmp_path):
    card, path = write_model(tmp_path, gain=50)
    engine = open_engine(card, path, provider=provider)
    lr = np.random.default_rng(1).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    keep = Box(0, 0, 12 * card.scale, 12 * card.scale)
    assert np.array_equal(engine.samples(lr, keep=keep), engine.samples(lr, keep=keep))
    sr = engine.samples(lr, keep=keep)
    planes = engine(np.ascontiguousarray(to_float(lr).transpose(2, 0, 1)[None]))
    assert planes.min() < -0.1
    assert planes.max() > 1.1
    assert np.array_equal(sr, to_u8(planes[0].transpose(1, 2, 0)))
