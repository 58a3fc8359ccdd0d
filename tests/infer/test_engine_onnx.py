import pytest

from pixelift.errors import ConfigError
from pixelift.infer.engine import open_engine
from tests.fakes import write_model

pytest.importorskip("onnxruntime")


def test_auto_is_float32(tmp_path):
    card, path = write_model(tmp_path)
    assert open_engine(card, path, provider="onnxruntime", precision="auto").precision == "f32"


def test_bf16_is_refused_with_the_engine_that_has_it(tmp_path):
    card, path = write_model(tmp_path)
    with pytest.raises(ConfigError, match=r'"bf16" is not to be had.*"openvino"'):
        open_engine(card, path, provider="onnxruntime", precision="bf16")


def test_nothing_is_printed_about_a_damaged_network(tmp_path, capfd):
    card, path = write_model(tmp_path)
    damaged = path.read_bytes().replace(b"Conv", b"Conw")
    path.write_bytes(damaged)
    import hashlib  # noqa: PLC0415
