"""Compiles a network with OpenVINO: the one way to do so, for networks of ours and of others."""

import weakref
from typing import Any

from pixelift.forks import Threads

_THREADS = Threads("OpenVINO")


def open_request(
    core: Any,  # noqa: ANN401  (the package has no type hints)
    model: Any,  # noqa: ANN401
    *,
    precision: str,
    threads: int | None,
) -> Any:  # noqa: ANN401
    """Compile a network.

    Args:
        core: OpenVINO's core.
        model: The network.
        precision: "f32" or "bf16".
        threads: Processor threads; None takes one for each core.

    Returns:
        The request that runs it.

    Raises:
        ForkError: It would wait for ever: the threads of a network that is gone are kept for the
            next one, and a fork does not take them along.
    """
    config: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": precision,
        # The system places threads better than a fixed core each: other programs, and other
        # processes of a batch, would be tied to the same cores.
        "ENABLE_CPU_PINNING": False,
    }
    if threads is not None:
        config["INFERENCE_NUM_THREADS"] = threads
    _THREADS.check()
    request = core.compile_model(model, "CPU", config).create_infer_request()
    weakref.finalize(request, _THREADS.leave, _THREADS.owner()).atexit = False
    return request
