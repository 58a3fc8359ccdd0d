"""Operations of libvips, called by their names."""

from typing import Any

import pyvips

from pixelift.forks import LIBVIPS


def operate(name: str, *arguments: object, **options: object) -> Any:  # noqa: ANN401 - what it gives
    """Call an operation of libvips.

    Never write `image.name(...)` for it: pyvips then looks first whether pictures have a property
    of that name, which libvips notes as a fault in the one place of the process where it notes all
    faults, and pyvips clears that place, whatever another thread's file had left there.

    Args:
        name: The operation, as `vips -l` lists it.
        arguments: What it needs, a picture first as a rule.
        options: What it may be given.

    Returns:
        What it makes: a picture, bytes, or None for what is written.

    Raises:
        pyvips.Error: It failed.
        ForkError: libvips was used before this process was forked.
    """
    LIBVIPS.use()
    return pyvips.Operation.call(name, *arguments, **options)
