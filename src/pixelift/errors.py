"""The whole exception tree: everything Pixelift raises on purpose.

PixeliftError
├── ImageReadError            a picture cannot be read
│   └── TooManyPixelsError    a picture is larger than whoever asked for it allows
├── ImageWriteError           a picture cannot be written
├── VideoError                a film cannot be read or written
├── UnknownNameError          a model, recipe key or architecture that does not exist
├── WeightsError              weights that are damaged or do not fit their card
├── ConfigError               a recipe or setting that makes no sense
├── ShapeError                an array of the wrong shape, type or range
├── EngineUnavailableError    an optional package is not installed
├── ForkError                 a library that a forked process cannot use
├── OutOfMemoryError          an engine ran out of memory even with the smallest tile
├── DatasetError              a training set that is damaged or cannot be made
│   └── WrongDatasetError     photos, or a place for a training set or with one, named by mistake
└── TrainingError             a training that cannot start or go on
    ├── WrongRunError         a run folder, or weights to start from, named by mistake
    └── TrainingStopped       a training that was asked to stop, and saved its state

A message says what failed, what was given, what is allowed and what to type next.
"""

import difflib
from collections.abc import Iterable


class PixeliftError(Exception):
    """Base of every error that Pixelift raises on purpose."""


class ImageReadError(PixeliftError):
    """A picture cannot be read: missing, damaged, of an unknown kind or too large."""


class TooManyPixelsError(ImageReadError):
    """A picture is larger than whoever asked for it allows; nothing of it was decoded."""


class ImageWriteError(PixeliftError):
    """A picture cannot be written: no folder, no permission, no space, unknown format."""


class VideoError(PixeliftError):
    """A film cannot be read or written: missing, damaged, of an unknown kind, no space."""


class UnknownNameError(PixeliftError, LookupError):
    """A name that is not in the table it was looked up in."""


class WeightsError(PixeliftError):
    """Weights that are damaged or do not fit their card."""


class ConfigError(PixeliftError):
    """A recipe or setting that makes no sense."""


class ShapeError(PixeliftError, ValueError):
    """An array of the wrong shape, type or range."""


class EngineUnavailableError(PixeliftError, ImportError):
    """An optional package is not installed; the message says which to install."""


class ForkError(PixeliftError):
    """A library was used before this process was forked, and would hang in it."""


class OutOfMemoryError(PixeliftError, MemoryError):
    """An engine ran out of memory even with the smallest tile."""


class DatasetError(PixeliftError):
    """A training set that is damaged or cannot be made."""


class WrongDatasetError(DatasetError):
    """Photos or a training set that are not there, do not fit, or a folder that is taken."""


class TrainingError(PixeliftError):
    """A training that cannot start or go on."""


class WrongRunError(TrainingError):
    """A run folder that is not one, is taken, or is of another recipe."""


class TrainingStopped(TrainingError):  # noqa: N818 - nothing went wrong
    """A training that was asked to stop, and saved its state."""


def unknown_name(kind: str, name: str, known: Iterable[str], *, hint: str) -> UnknownNameError:
    """Make the error for a name that is in no table, with the nearest names offered.

    Args:
        kind: What the name is of, for instance "model".
        name: What was given.
        known: The names that exist.
        hint: What to type to see them all.

    Returns:
        The error, to be raised by the caller.

    Example:
        >>> str(unknown_name("model", "balancd", ["balanced"], hint="pixelift models"))
        'no model "balancd". Did you mean "balanced"? Run: pixelift models'
    """
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=2, cutoff=0.5)
    offer = " or ".join(f'"{n}"' for n in near)
    guess = f"Did you mean {offer}?" if near else f"Known: {', '.join(known) or 'none'}."
    return UnknownNameError(f'no {kind} "{name}". {guess} Run: {hint}')
