"""`pixelift bench`: how fast this machine is, by engine, precision, threads and tile."""

import json as json_module
from typing import Annotated

from cyclopts import Parameter

from pixelift.cli.main import complain, whole_number
from pixelift.errors import ConfigError

DEFAULT_REPEATS = 5


def bench(
    *,
    model: Annotated[tuple[str, ...], Parameter(name=["--model", "-m"])] = (),
    scale: Annotated[int, Parameter(name=["--scale", "-s"], converter=whole_number)] = 4,
    repeats: Annotated[int, Parameter(converter=whole_number)] = DEFAULT_REPEATS,
    json: bool = False,
) -> None:
    """Measure this machine, and tell which flags of pixelift upscale to use.

    A picture of 480x270 is enlarged through the library, picture in to picture out: by each engine
    and precision that there is, then by fewer threads, then in other tiles. Takes about a minute
    for each model; other programs that work at the same time make the numbers worse.

    Args:
        model: Names of models; by default all that are packaged for the scale.
        scale: Factor to enlarge by.
        repeats: Runs of each kind, of which the median is told.
        json: Print all that was measured as JSON on stdout, and nothing else.
    """
    import msgspec

    from pixelift.evaluate.run import describe_machine
    from pixelift.evaluate.table import render_table
    from pixelift.infer import timing
    from pixelift.zoo.store import list_models

    if repeats < 1:
        raise ConfigError(f"repeats is {repeats}; allowed are numbers from 1 up, as --repeats 5")
    names = list(model) or [card.name for card in list_models() if card.scale == scale]
    if not names:
        raise ConfigError(f"no model has scale {scale}. Run: pixelift models")
    usual = {name: timing.usual(name, scale=scale) for name in names}
    found: dict[str, list[timing.Timing]] = {}
    for name in names:
        if not json:
            complain(f"measuring {name} x{scale} ...")

        def time_it(setting: timing.Setting, name: str = name) -> timing.Timing:
            return timing.measure(name, scale=scale, setting=setting, repeats=repeats)

        pairs = timing.usable(name, scale=scale)
        found[name] = timing.search(time_it, pairs=pairs, cores=usual[name].threads)
    if json:
        report = {
            "machine": describe_machine(),
            "lr": str(timing.LR),
            "repeats": repeats,
            "timings": [row for rows in found.values() for row in rows],
            "advice": {
                name: timing.advice(rows, without_flags=usual[name]) for name, rows in found.items()
            },
        }
        print(json_module.dumps(msgspec.to_builtins(report), indent=2))
        return
    header = ["model", "engine", "precision", "threads", "tile", "ms", "pictures/s", "MP/s"]
    rows = [
        [
            f"{row.model} x{row.scale}",
            row.setting.engine,
            row.setting.precision,
            str(row.setting.threads),
            str(row.setting.tile or "chosen"),
            f"{1000 * row.seconds:.0f}",
            f"{1 / row.seconds:.1f}",
            f"{row.megapixels_per_second:.1f}",
        ]
        for timings in found.values()
        for row in timings
    ]
    print(render_table(header, rows))
    print(f"\n{timing.LR} to x{scale}, median of {repeats}. {describe_machine()}.")
    for name, timings in found.items():
        print(f"{name}: {timing.advice(timings, without_flags=usual[name])}")
