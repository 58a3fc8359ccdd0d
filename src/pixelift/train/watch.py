"""What a training tells while it runs, and how it is asked to stop."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class State:
    """Where a training is, at a line of its log."""

    step: int
    steps: int
    rate: float
    """Steps a second since the last line, validations left out."""
    seconds_left: float
    """Seconds that the rest will take, validations included."""
    loss: float
    """Mean since the last line."""
    psnr_y: float | None
    best: float


class Watcher:
    """Listens to a training and does nothing; whoever shows one overrides what is of interest."""

    def tell(self, sentence: str) -> None:
        """Hear a sentence for people.

        Args:
            sentence: What the weights start from, say, or what is done without.
        """

    def stepped(self, step: int) -> None:
        """Hear that a step is done; of all processes of a training, only the first tells this.

        Args:
            step: Steps done so far.
        """

    def report(self, state: State) -> None:
        """Hear a line of the log.

        Args:
            state: Where the training is.
        """

    def wants_stop(self) -> bool:
        """Tell whether the training is to save its state and stop after this step."""
        return False
