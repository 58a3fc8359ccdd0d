"""The packages that only some commands need: asked for before any work, with what to type."""

import importlib

from pixelift.errors import EngineUnavailableError


def require(*packages: str, task: str, extra: str = "train") -> None:
    """Refuse a command whose packages are not there.

    All of them are imported here, so that none is found missing after hours of work.

    Args:
        packages: Names of modules that come with an extra.
        task: What needs them, for the message.
        extra: Name of the extra.

    Raises:
        EngineUnavailableError: One of them is not installed, or cannot be imported.
    """
    for name in packages:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            raise EngineUnavailableError(
                f"{task} needs {error.name or name}, which is not installed. "
                f"Run: pip install 'pixelift[{extra}]'"
            ) from error
        except ImportError as error:
            raise EngineUnavailableError(
                f"{task} needs {name}, which cannot be imported ({error}). "
                f"Run: pip install --force-reinstall 'pixelift[{extra}]'"
            ) from error
