"""Enlarge all pictures of a folder with one loaded network, a bar, and one line for each bad file.

    python examples/folder_with_progress.py FOLDER OUTPUT

`pixelift upscale FOLDER -o OUTPUT` does the same and more; here a program of your own can begin.
"""

import sys
from pathlib import Path

from rich.progress import Progress

import pixelift

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".avif"}


def main(folder: Path, output: Path) -> int:
    """Write the larger pictures; returns 1 if one of them could not be made."""
    paths = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in SUFFIXES]
    output.mkdir(parents=True, exist_ok=True)
    upscaler = pixelift.Upscaler(scale=2)  # loaded once; looks at each picture
    failed = 0
    with Progress() as bars:
        bar = bars.add_task("enlarging", total=len(paths))
        for number, path in enumerate(paths):
            try:
                chosen, why = upscaler.choose(path)
                with pixelift.open_rows(path) as rows:  # bands of rows: a huge picture fits as well

                    def tell(share: float, done: int = number) -> None:
                        bars.update(bar, completed=done + share)

                    pixelift.write_rows(chosen.rows(rows, progress=tell), output / path.name)
                bars.print(f"{path.name}: {chosen.card.name}, {why}")
            except pixelift.errors.PixeliftError as error:
                bars.print(f"{path.name}: {error}")
                failed += 1
            bars.update(bar, completed=number + 1)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
