"""Pixelift: a photo to a sharper, larger one, fast on a CPU and without torch.

Example:
    import pixelift

    sr = pixelift.upscale(image, scale=4)
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pixelift import errors
    from pixelift.image.picture import Picture
    from pixelift.image.read import read_picture
    from pixelift.image.write import write_picture
    from pixelift.infer.once import upscale
    from pixelift.infer.upscaler import Upscaler
    from pixelift.metrics.psnr import psnr
    from pixelift.metrics.ssim import ssim
    from pixelift.zoo.store import list_models

    __version__: str

__all__ = [
    "Picture",
    "Upscaler",
    "__version__",
    "errors",
    "list_models",
    "psnr",
    "read_picture",
    "ssim",
    "upscale",
    "write_picture",
]

# Where each name lives. It is imported when it is first used, so that `import pixelift` loads
# neither an engine nor the picture library.
_HOMES = {
    "Picture": "pixelift.image.picture",
    "Upscaler": "pixelift.infer.upscaler",
    "list_models": "pixelift.zoo.store",
    "psnr": "pixelift.metrics.psnr",
    "read_picture": "pixelift.image.read",
    "ssim": "pixelift.metrics.ssim",
    "upscale": "pixelift.infer.once",
    "write_picture": "pixelift.image.write",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401  (an attribute of a module is anything)
    if name == "errors":
        return importlib.import_module("pixelift.errors")
    if name == "__version__":
        value: Any = _version()
    elif name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module 'pixelift' has no attribute {name!r}")
    globals()[name] = value
    return value


def _version() -> str:
    # Imported late because it costs more than the whole of this module.
    from importlib import metadata  # noqa: PLC0415

    try:
        return metadata.version("pixelift")
    except metadata.PackageNotFoundError:
        return "unknown"  # run from a clone that is not installed


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
