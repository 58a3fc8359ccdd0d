"""`pixelift degrade`: LR sets as people have them, from a folder of good pictures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from pixelift.cli.main import FAILED, FINE, complain, whole_number
from pixelift.errors import ConfigError
from pixelift.image.shown import shown

if TYPE_CHECKING:
    from pixelift.degrade.folder import Drawn, Outcome, Replayed


def degrade(
    folder: Path,
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    scale: Annotated[int | None, Parameter(name=["--scale", "-s"], converter=whole_number)] = None,
    preset: Literal["clean", "photo", "real", "heavy"] | None = None,
    seed: Annotated[int | None, Parameter(converter=whole_number)] = None,
    plan: Path | None = None,
) -> int:
    """Make small pictures of large ones as phones and messengers do: blur, noise, JPEG.

    The LR of a/b.jpg is a/b.png in the output folder, and plans.json beside them says what was
    done to each; with --plan the same set can be made again, bit for bit. Run the same command
    again to go on where it was stopped. A picture that cannot be done is told about in one line,
    the others are still done, and the exit code is 1.

    Args:
        folder: Folder of pictures, searched at any depth.
        output: Folder for the small pictures.
        scale: Factor to shrink by; by default 4, or that of the plans.
        preset: clean is the bicubic shrinking of the benchmarks, photo what a phone and a
            messenger do, and the default; real what pictures on people's discs went through: more
            kinds of it, fewer at a time; heavy what several phones do one after the other.
        seed: Start of the random numbers; by default 0.
        plan: File of plans to carry out again, instead of drawing new ones.
    """
    from rich.console import Console
    from rich.progress import Progress

    from pixelift.degrade.folder import degrade_folder
    from pixelift.image.find import find_pictures

    plans = _plans(scale=scale, preset=preset, seed=seed, plan=plan)
    failed = made = kept = 0
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("pictures", total=len(find_pictures(folder)))

        def report(outcome: "Outcome") -> None:
            nonlocal failed, made, kept
            progress.advance(task)
            if outcome.error:
                complain(f"left out {shown(outcome.name)}: {outcome.error}")
            failed += bool(outcome.error)
            kept += outcome.was_there
            made += not outcome.error and not outcome.was_there

        try:
            degrade_folder(folder, output, plans=plans, report=report)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                "stopped. What is made is kept; the same command goes on where it was"
            ) from None
    print(
        f"{shown(output)}: {made} pictures made, {kept} were there, {failed} left out; "
        f"x{plans.scale} by {plans.told}"
    )
    return FAILED if failed else FINE


def _plans(
    *, scale: int | None, preset: str | None, seed: int | None, plan: Path | None
) -> "Drawn | Replayed":
    from pixelift.degrade.draw import PRESETS
    from pixelift.degrade.folder import Drawn, Replayed
    from pixelift.degrade.recorded import read_record

    if plan is not None:
        if preset is not None or seed is not None:
            raise ConfigError("--plan holds all that is drawn. Leave --preset and --seed out")
        record = read_record(plan)
        if scale not in (None, record.scale):
            raise ConfigError(
                f"scale is {scale}, but the plans of {shown(plan)} are of x{record.scale}. "
                "Leave --scale out"
            )
        return Replayed(record)
    scale = 4 if scale is None else scale
    if not 1 <= scale <= 8:
        raise ConfigError(f"scale is {scale}; allowed are 1 to 8, as --scale 4")
    seed = 0 if seed is None else seed
    if seed < 0:
        raise ConfigError(f"seed is {seed}; allowed are numbers from 0 up, as --seed 1")
    name = preset or "photo"
    return Drawn(PRESETS[name], scale, seed, name)
