"""`pixelift export`: a trained network to an .onnx file."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pixelift.cli.extras import require
from pixelift.errors import ConfigError
from pixelift.image.shown import shown


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
        output: The .onnx file to write; one that is there already is replaced. A name that ends
            in .safetensors gets the weights of a repnet in the layout of SRVGGNetCompact, which
            other programs load (docs/models-elsewhere.md).
        name: What the network is called; by default the name of the run folder, with a dash where
            that has what no name of a network may have.
    """
    told = shown(output)
    if output.suffix not in (".onnx", ".safetensors"):
        raise ConfigError(f"cannot export to {told}; the name must end in .onnx, as -o net.onnx")
    if output.is_dir() or not output.parent.is_dir():
        raise ConfigError(f"cannot write {told}: give a file in a folder that exists: -o FILE")
    if output.exists() and not output.is_file():
        raise ConfigError(f"{told} is a device or a pipe. Give a file: -o FILE")
    require("torch", "safetensors", "onnx", task="exporting")
    if output.suffix == ".safetensors":
        from pixelift.export.elsewhere import export_compact

        count = export_compact(run, output)
        print(f"{told}: SRVGGNetCompact, {count:,} parameters")
        return
    from pixelift.zoo.card import check_name, clean_name

    # Asked before torch is loaded. The name of a folder is made to fit, one that was typed is not.
    name = name if name is not None else clean_name(run.resolve().name) or run.resolve().name
    check_name(name)
    from pixelift.export.run import export_run

    card = export_run(run, output, name=name)
    print(
        f"{told}: {card.name} x{card.scale}, {card.parameters:,} parameters, "
        f"{card.macs_per_pixel:,} MACs per LR pixel, {output.stat().st_size / 1024:.0f} KiB"
    )
