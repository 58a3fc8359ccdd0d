"""`pixelift train`: a recipe and a training set to a trained network."""

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from pixelift.cli.extras import require
from pixelift.cli.interrupt import Interrupt
from pixelift.cli.main import complain, whole_number
from pixelift.errors import ConfigError, TrainingStopped
from pixelift.image.shown import shown

if TYPE_CHECKING:
    from pixelift.train.watch import Watcher


def train(
    recipe: Path,
    /,
    *,
    data: Path,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    resume: bool = False,
    changes: Annotated[tuple[str, ...], Parameter(name="--set", show_default=False)] = (),
    threads: Annotated[int | None, Parameter(converter=whole_number)] = None,
    device: str = "auto",
) -> int:
    """Train a network; stop it when you like, and go on with --resume.

    Args:
        recipe: A TOML file, for instance recipes/balanced_x4.toml.
        data: The training set that `pixelift prepare` made.
        output: Run folder for checkpoint, best weights, log, curves and sample pictures.
        resume: Go on from the checkpoint in the run folder.
        changes: Change a setting of the recipe, as --set optim.steps=500; may be given again.
        threads: Processor threads; by default all cores.
        device: cpu, cuda, or auto for a GPU where there is one.

    Returns:
        The exit code: 130 or 143 where a signal stopped it.
    """
    if threads is not None and threads < 1:
        raise ConfigError(f"threads is {threads}; allowed are numbers from 1 up, as --threads 2")
    # Each of the processes that cut crops would start as many threads as there are cores for its
    # small matrix products; read when numpy is first imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from pixelift.patches.dataset import open_dataset
    from pixelift.train.config import load_recipe

    settings = load_recipe(recipe, changes)
    require("torch", "safetensors", "pyarrow", task="training")
    import torch

    from pixelift.train.adversarial import finetune
    from pixelift.train.checkpoint import CHECKPOINT
    from pixelift.train.fit import fit

    if threads is not None:
        torch.set_num_threads(threads)
    prepared = open_dataset(data)
    command = [*_program(), "train", recipe, "--data", data, "-o", output]
    command += [word for change in changes for word in ("--set", change)]
    command += [] if threads is None else ["--threads", threads]
    command += [] if device == "auto" else ["--device", device]
    interrupt = Interrupt()
    try:
        with interrupt, _shown(settings.optim.steps, interrupt) as watch:
            train_it = finetune if settings.adversarial.weight > 0 else fit
            best = train_it(settings, prepared, output, resume=resume, watch=watch, device=device)
    except (TrainingStopped, KeyboardInterrupt) as stop:
        reason = stop if isinstance(stop, TrainingStopped) else "stopped"
        advice = ", before its first checkpoint. Start again with"
        if (output / CHECKPOINT).is_file():
            command.append("--resume")
            advice = ", and the last checkpoint is intact. Go on with"
        if _leads():
            complain(f"{reason}{advice}: {shlex.join(str(word) for word in command)}")
        return interrupt.exit_code if interrupt.number else 130
    if _leads():
        print(f"{shown(output)}: best PSNR-Y {best:.3f} dB on the validation crops")
    return 0


def _program() -> list[str]:
    together = os.environ.get("LOCAL_WORLD_SIZE", "1")
    if together == "1":
        return ["pixelift"]
    return ["torchrun", "--standalone", f"--nproc-per-node={together}", "-m", "pixelift"]


def _leads() -> bool:
    """Tell whether this process is the one, of those that `torchrun` started, that talks."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def _shown(steps: int, interrupt: Interrupt) -> "Iterator[Watcher]":
    """Show a training: a bar on a terminal, and a line for each validation everywhere."""
    from pixelift.train.watch import State, Watcher

    bar = _Bar(steps)

    class Shown(Watcher):
        def tell(self, sentence: str) -> None:
            if _leads():
                print(sentence, flush=True)

        def stepped(self, step: int) -> None:
            bar.move(step)

        def report(self, state: State) -> None:
            bar.move(state.step, loss=f"{state.loss:.5f}", best=f"{state.best:.3f} dB")
            if state.psnr_y is not None:
                print(
                    f"step {state.step}: PSNR-Y {state.psnr_y:.3f} dB, best {state.best:.3f} dB, "
                    f"loss {state.loss:.5f}, {state.rate:.3g} steps/s, "
                    f"{_duration(state.seconds_left)} left",
                    flush=True,
                )

        def wants_stop(self) -> bool:
            return interrupt.number != 0

    with bar:
        yield Shown()


class _Bar:
    """A bar with rate and remaining time, on a terminal and where rich is installed."""

    def __init__(self, steps: int) -> None:
        self._progress: Any = None
        self._job: Any = None
        try:
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                MofNCompleteColumn,
                Progress,
                TextColumn,
                TimeRemainingColumn,
            )
        except ImportError:
            return
        console = Console(stderr=True)
        if not console.is_terminal or not _leads():
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]} steps/s"),
            TimeRemainingColumn(),
            TextColumn("loss {task.fields[loss]}  best {task.fields[best]}"),
        )
        # Lines on stdout go above the bar on a terminal, and stay out of it where they are kept.
        self._progress = Progress(*columns, console=console, redirect_stdout=sys.stdout.isatty())
        self._job = self._progress.add_task("steps", total=steps, rate="-", loss="-", best="-")
        self._first: int | None = None

    def move(self, step: int, **fields: str) -> None:
        """Show how far it is."""
        if self._progress is None:
            return
        if self._first is None:
            # Steps of an earlier sitting took no time today.
            self._first = step
            self._progress.reset(self._job, completed=step)
        task = self._progress.tasks[0]
        rate = f"{task.speed:.3g}" if task.speed else "-"
        self._progress.update(self._job, completed=step, rate=rate, **fields)

    def __enter__(self) -> None:
        if self._progress is not None:
            self._progress.start()

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
