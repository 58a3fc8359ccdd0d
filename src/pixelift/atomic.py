"""Files that are there as a whole or not at all, whatever ends the writing of them."""

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def write_atomically(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Write a file; a kill leaves the old one or the new one.

    Args:
        path: The file; replaced where it exists.
        content: What it is to hold.
        durable: See `replacing`.

    Raises:
        OSError: It cannot be written; the old file is as it was.
    """
    with replacing(path, durable=durable) as hidden:
        hidden.write_bytes(content)


@contextmanager
def replacing(
    path: Path, *, durable: bool = False, unique: bool = False, overwrite: bool = True
) -> Iterator[Path]:
    """Hand out a hidden file beside a file, whose name it is given when the block ends well.

    However else the block ends, the hidden file is removed. What a killed process leaves of it is
    written over by the next one; of a `unique` one, `pixelift.batch.claim` removes it.

    Args:
        path: The file; its folder exists.
        durable: Whether it is to survive a power cut too: the disk is waited for, which takes
            milliseconds. For what took long to make, cannot be made again, or is taken for done
            by the next run because its name is there; not for thousands of small notes.
        unique: Whether several processes may write the file at the same time, each its own.
        overwrite: Whether a file that is there already is replaced.

    Yields:
        The hidden file, to be created and closed again; it has the suffix of `path`.

    Raises:
        FileExistsError: It is there already and is not to be replaced.
        OSError: It cannot be written; an old file is as it was.
    """
    token = secrets.token_hex(4) if unique else "partial"
    hidden = path.with_name(f"{hidden_stem(path)}-{token}{path.suffix}")
    try:
        yield hidden
        if durable:
            # Only then may the name go over: some file systems would rename first.
            with hidden.open("rb+") as stream:
                os.fsync(stream.fileno())
        _move(hidden, path, overwrite=overwrite)
        if durable:
            _sync_folder(path.parent)
    finally:
        # Also after a KeyboardInterrupt. An error here would hide the one that brought us here.
        with suppress(OSError):
            hidden.unlink(missing_ok=True)


def hidden_stem(path: Path) -> str:
    """Tell how the hidden files begin in which a file is made before it gets its name.

    Args:
        path: The file.

    Returns:
        The same for the same name, and of the same length for all: the name itself may be as long
        as the file system allows.

    Example:
        >>> hidden_stem(Path("out/a.png"))
        '.pixelift-7f071235805f'
    """
    name = path.name.encode("utf-8", "surrogateescape")
    return f".pixelift-{hashlib.sha256(name).hexdigest()[:12]}"


def _move(hidden: Path, path: Path, *, overwrite: bool) -> None:
    if overwrite:
        hidden.replace(path)
        return
    try:
        # Unlike a rename, a link never replaces what somebody else wrote in the meantime.
        path.hardlink_to(hidden)
    except FileExistsError:
        raise
    except OSError:
        # Some file systems, FAT for one, know no links.
        if path.exists():
            raise FileExistsError from None
        hidden.rename(path)


def _sync_folder(folder: Path) -> None:
    """Have the disk keep a new name too; where it cannot, the file is whole all the same."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
