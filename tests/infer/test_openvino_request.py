import os

import pytest

from pixelift.errors import ForkError
from pixelift.infer import openvino_request
from pixelift.infer.openvino_request import open_request


class Core:
    """Stands for OpenVINO's: tells what it was asked for."""

    def compile_model(self, model, device, config):
        self.asked = model, device, config
        return self

    def create_infer_request(self):
        return Request()


class Request:
    pass


def test_a_network_is_compiled_for_this_processor():
    core = Core()
    assert isinstance(open_request(core, "model", precision="bf16", threads=None), Request)
    model, device, config = core.asked
    assert (model, device, config["INFERENCE_PRECISION_HINT"]) == ("model", "CPU", "bf16")
    assert "INFERENCE_NUM_THREADS" not in config
    open_request(core, "model", precision="f32", threads=3)
    assert core.asked[2]["INFERENCE_NUM_THREADS"] == 3


@pytest.mark.parametrize("is_kept", [True, False])
def test_after_a_fork_none_is_compiled_if_another_is_gone(monkeypatch, is_kept):
    monkeypatch.setattr(openvino_request, "_THREADS", openvino_request.Threads("OpenVINO"))
    request = open_request(Core(), "model", precision="f32", threads=None)
    kept = request if is_kept else None
    del request
    # In the process itself more may follow.
    also = open_request(Core(), "model", precision="f32", threads=None)
    process = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: process + 1)
    if not is_kept:
        with pytest.raises(ForkError, match="OpenVINO does not work in a process that was forked"):
            open_request(Core(), "model", precision="f32", threads=None)
        return
    open_request(Core(), "model", precision="f32", threads=None)
    # What the parent made may go in the child too.
    del kept
    with pytest.raises(ForkError):
        open_request(Core(), "model", precision="f32", threads=None)
    assert also is not None
