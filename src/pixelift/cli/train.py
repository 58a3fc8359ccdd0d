"""`pixelift train`: a recipe and a training set to a trained network."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def train(
    recipe: Path,
    /,
    *,
    data: Path,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    resume: bool = False,
    changes: Annotated[tuple[str, ...], Parameter(name="--set")] = (),
    threads: int | None = None,
) -> None:
    """Train a network; stop it when you like, and go on with --resume.

    Args:
        recipe: A TOML file, for instance recipes/balanced_x4.toml.
        data: The training set that `pixelift prepare` made.
        output: Run folder for checkpoint, best weights, log and curves.
        resume: Go on from the checkpoint in the run folder.
        changes: Change a setting of the recipe, as optim.steps=500; may be given several times.
        threads: Processor threads; by default all cores.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn

    from pixelift.errors import EngineUnavailableError
    from pixelift.patches.dataset import open_dataset
    from pixelift.train.config import load_recipe

    settings = load_recipe(recipe, changes)
    try:
        import torch

        from pixelift.train.fit import State, fit
    except ImportError as error:
        raise EngineUnavailableError(
            f"training needs {error.name}, which is not installed. "
            "Run: pip install 'pixelift[train]'"
        ) from error
    if threads is not None:
        torch.set_num_threads(threads)
    prepared = open_dataset(data)
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("loss {task.fields[loss]}  best {task.fields[best]}"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        job = bar.add_task("steps", total=settings.optim.steps, loss="-", best="-")

        def show(state: State) -> None:
            if state.loss is not None:
                bar.update(job, completed=state.step, loss=f"{state.loss:.5f}")
            if state.psnr_y is not None:
                bar.update(job, best=f"{state.best:.3f} dB")
                print(f"step {state.step}: PSNR-Y {state.psnr_y:.3f} dB, best {state.best:.3f} dB")

        best = fit(settings, prepared, output, resume=resume, report=show)
    print(f"{output}: best PSNR-Y {best:.3f} dB on the validation crops")
