"""`pixelift export`: a trained network to an .onnx file."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def export(
    run: Path,
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    name: str | None = None,
) -> None:
    """Write the best network of a training as ONNX, checked against the trained one.

    The file holds its own card, so `pixelift upscale -m FILE.onnx` needs nothing else.

    Args:
        run: The run folder of a training, which may still be going on.
        output: The .onnx file to write.
        name: What the network is called; by default the name of the run folder.
    """
    from pixelift.errors import ConfigError, EngineUnavailableError

    if output.suffix != ".onnx":
        raise ConfigError(f"cannot export to {output}; the name must end in .onnx")
    try:
        from pixelift.export.run import export_run
    except ImportError as error:
        raise EngineUnavailableError(
            f"exporting needs {error.name}, which is not installed. "
            "Run: pip install 'pixelift[train]'"
        ) from error
    card = export_run(run, output, name=name or run.resolve().name)
    print(
        f"{output}: {card.name} x{card.scale}, {card.parameters:,} parameters, "
        f"{card.macs_per_pixel:,} MACs per LR pixel, {output.stat().st_size / 1024:.0f} KiB"
    )
