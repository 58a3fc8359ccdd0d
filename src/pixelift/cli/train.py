"""`pixelift train`: a recipe and a training set to a trained network."""

import shlex
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pixelift.cli.extras import require
from pixelift.cli.main import whole_number
from pixelift.errors import ConfigError


def train(
    recipe: Path,
    /,
    *,
    data: Path,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    resume: bool = False,
    changes: Annotated[tuple[str, ...], Parameter(name="--set", show_default=False)] = (),
    threads: Annotated[int | None, Parameter(converter=whole_number)] = None,
) -> None:
    """Train a network; stop it when you like, and go on with --resume.

    Args:
        recipe: A TOML file, for instance recipes/balanced_x4.toml.
        data: The training set that `pixelift prepare` made.
        output: Run folder for checkpoint, best weights, log and curves.
        resume: Go on from the checkpoint in the run folder.
        changes: Change a setting of the recipe, as --set optim.steps=500; may be given again.
        threads: Processor threads; by default all cores.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    from pixelift.patches.dataset import open_dataset
    from pixelift.train.config import load_recipe

    if threads is not None and threads < 1:
        raise ConfigError(f"threads is {threads}; allowed are numbers from 1 up, as --threads 2")
    settings = load_recipe(recipe, changes)
    require("torch", "safetensors", "pyarrow", "tensorboard", "matplotlib", task="training")
    import torch

    from pixelift.train.checkpoint import CHECKPOINT
    from pixelift.train.fit import State, fit

    if threads is not None:
        torch.set_num_threads(threads)
    prepared = open_dataset(data)
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]} steps/s"),
        TimeRemainingColumn(),
        TextColumn("loss {task.fields[loss]}  best {task.fields[best]}"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        job = bar.add_task("steps", total=settings.optim.steps, rate="-", loss="-", best="-")

        def show(state: State) -> None:
            bar.update(
                job, completed=state.step, rate=f"{state.rate:.1f}", loss=f"{state.loss:.5f}"
            )
            if state.psnr_y is not None:
                bar.update(job, best=f"{state.best:.3f} dB")
                print(
                    f"step {state.step}: PSNR-Y {state.psnr_y:.3f} dB, best {state.best:.3f} dB",
                    flush=True,
                )

        try:
            best = fit(settings, prepared, output, resume=resume, report=show, tell=print)
        except KeyboardInterrupt:
            command = ["pixelift", "train", recipe, "--data", data, "-o", output]
            command += [word for change in changes for word in ("--set", change)]
            command += [] if threads is None else ["--threads", threads]
            kept = "before its first checkpoint. Start again with"
            if (output / CHECKPOINT).is_file():
                command.append("--resume")
                kept = "and the last checkpoint is intact. Go on with"
            words = shlex.join(str(word) for word in command)
            raise KeyboardInterrupt(f"stopped, {kept}: {words}") from None
    print(f"{output}: best PSNR-Y {best:.3f} dB on the validation crops")
