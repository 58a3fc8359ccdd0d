"""How much one client, one picture and all of them together may take."""

from dataclasses import dataclass
from fractions import Fraction

from pixelift.errors import ConfigError
from pixelift.serve.problems import Problem

MIB = 2**20
MEGA = 1_000_000

FORM_BYTES = 64 * 1024
"""What the fields and the boundaries of a form may add to the picture in it."""

WORKER_BASE_BYTES = 768 * MIB
"""Memory that a worker may take beside its pictures: engine, networks and their tiles."""

WORKER_BYTES_PER_PIXEL = 48
"""Memory that a worker may take for each pixel of a result: RGBA as float32, in 16 bits on its way
to the file, and the file, which is as large where the picture is noise, and is copied. So much
was measured for noise with alpha and 16 bits, engine and tiles included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is refused, and when it is given up. All memory that uploads can take follows from it.

    Raises:
        ConfigError: A limit below the smallest that makes sense.
    """

    upload_bytes: int = 64 * MIB
    """The largest picture file that is taken."""

    upload_seconds: float = 120
    """Time for an upload to arrive."""

    result_pixels: int = 100 * MEGA
    """The largest result; an input may have as many, divided by the square of the scale."""

    job_seconds: float = 120
    """Time that a worker may spend on one picture."""

    queue_length: int = 32
    """Pictures that may wait for a worker."""

    queue_bytes: int = 256 * MIB
    """Bytes of all uploads together that are arriving or waiting."""

    results_bytes: int = 512 * MIB
    """Bytes of results to be fetched or being sent. With more, workers wait, and results that
    nobody has fetched are dropped, the oldest first."""

    keep_seconds: float = 600
    """Time that the result of a job is kept."""

    lease_seconds: float = 60
    """A job that is not done and that nobody has asked about for so long is given up."""

    def __post_init__(self) -> None:
        """Refuse limits under which nothing could be done."""
        for name in self.__slots__:
            value = getattr(self, name)
            if value < 1:
                raise ConfigError(
                    f"{name.replace('_', ' ')} is {value}; allowed are numbers from 1 up. "
                    "See: pixelift serve --help"
                )

    @property
    def worker_bytes(self) -> int:
        """Memory at which a worker is ended, whatever the reason."""
        return WORKER_BASE_BYTES + WORKER_BYTES_PER_PIXEL * self.result_pixels

    def input_pixels(self, scale: Fraction | int) -> int:
        """Pixels that an input may have.

        Args:
            scale: HR pixels per LR pixel along each axis.

        Returns:
            So many that the result stays within its limit.
        """
        return max(1, int(self.result_pixels / Fraction(scale) ** 2))


class ByteBudget:
    """A number of bytes that all uploads share.

    Example:
        >>> budget = ByteBudget(100)
        >>> share = budget.take(60)
        >>> budget.taken
        60
        >>> share.give_back()
        >>> budget.taken
        0
    """

    def __init__(self, size: int) -> None:
        """Start with nothing taken.

        Args:
            size: Bytes there are.
        """
        self._size = size
        self.taken = 0
        """Bytes that are given out."""

    def take(self, count: int) -> "Share":
        """Take a share of the budget before the bytes arrive.

        Args:
            count: Bytes.

        Returns:
            The share, to be given back.

        Raises:
            Problem: So many are not left.
        """
        if self.taken + count > self._size:
            raise Problem(
                "busy",
                f"{self.taken:,} bytes are waiting to be worked on; allowed are {self._size:,} "
                f"and this request wants {count:,} more. Try again later.",
                retry_after=1,
            )
        self.taken += count
        return Share(self, count)


class Share:
    """A part of a budget; giving it back twice does nothing."""

    def __init__(self, budget: ByteBudget, count: int) -> None:
        """Note what was taken; `ByteBudget.take` makes these.

        Args:
            budget: Where it was taken.
            count: Bytes.
        """
        self._budget = budget
        self._count = count

    def give_back(self) -> None:
        """Return the share to its budget."""
        self._budget.taken -= self._count
        self._count = 0
