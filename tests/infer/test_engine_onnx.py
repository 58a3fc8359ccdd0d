import msgspec
import pytest

from pixelift.errors import ConfigError, WeightsError
from pixelift.infer.engine import open_engine
from tests.fakes import write_model

pytest.importorskip("onnxruntime")


def test_auto_is_float32(tmp_path):
    card, path = write_model(tmp_path)
    assert open_engine(card, path, provider="onnxruntime", precision="auto").precision == "f32"


def test_bf16_is_refused_and_the_engine_that_has_it_named(tmp_path):
    card, path = write_model(tmp_path)
    with pytest.raises(ConfigError, match=r'"bf16" is not to be had.*"openvino"'):
        open_engine(card, path, provider="onnxruntime", precision="bf16")


def test_nothing_is_printed_about_a_network_that_cannot_be_loaded(tmp_path, capfd):
    card, path = write_model(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"Conv", b"Conw"))
    with pytest.raises(WeightsError, match="Conw"):
        open_engine(msgspec.structs.replace(card, sha256=""), path, provider="onnxruntime")
    assert capfd.readouterr() == ("", "")
