"""Draw sheets of text, charts and lines to train on beside photos: slides, screenshots, comics.

Usage: python tools/draw_sheets.py FOLDER [--sheets 20] [--seed 0]

Every sheet follows from the seed (and from the versions of Pillow and matplotlib). The words are
made of syllables, the fonts are those that matplotlib brings along (DejaVu, free to use and embed),
so the sheets are nobody's but ours: CC0.
"""

import argparse
import csv
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib import get_data_path
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 1280, 960
FINER = 3
"""Sheets are drawn so many times as large and made smaller: smooth edges, as in any rendering."""

SYLLABLES = (
    "ba re ti lo nu ka mes der vin sta or il en go pra shu Q7 li qu est ing for y th".split()  # noqa: SIM905
)

Colour = tuple[int, int, int]


class Sheet:
    """One picture in the making."""

    def __init__(self, seed: int) -> None:
        """Choose the ground.

        Args:
            seed: All that is drawn follows from it.
        """
        self._rng = np.random.default_rng(seed)
        self._size = WIDTH * FINER, HEIGHT * FINER
        level = self._rng.choice([self._between(215, 250), self._between(5, 50), 128])
        self._is_light = level > 100
        first, second = (self._near(level, 20) for _ in range(2))
        ramp = np.linspace(0, 1, self._size[1])[:, None]
        if self._rng.random() < 0.5:
            ramp[:] = 0
        rows = np.array(first) * (1 - ramp) + np.array(second) * ramp
        ground = np.broadcast_to(rows[:, None], (self._size[1], self._size[0], 3))
        self._image = Image.fromarray(ground.astype(np.uint8))
        self._draw = ImageDraw.Draw(self._image)

    def finish(self) -> Image.Image:
        """Draw until the sheet is full, and make it smaller.

        Returns:
            WIDTH x HEIGHT pixels, RGB.
        """
        kinds: list[Callable[[int, int, int, int], None]] = [
            self._paragraph,
            self._paragraph,
            self._title,
            self._chart,
            self._stripes,
            self._shapes,
            self._strokes,
        ]
        columns, rows = 3, 3
        width, height = self._size[0] // columns, self._size[1] // rows
        for row in range(rows):
            for column in range(columns):
                draw = kinds[int(self._rng.integers(len(kinds)))]
                draw(column * width + 20, row * height + 20, width - 40, height - 40)
        return self._image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)

    def _between(self, low: int, high: int) -> int:
        return int(self._rng.integers(low, high + 1))

    def _near(self, level: int, spread: int) -> Colour:
        red, green, blue = (
            int(np.clip(level + self._between(-spread, spread), 0, 255)) for _ in range(3)
        )
        return red, green, blue

    def _ink(self) -> Colour:
        if self._rng.random() < 0.4:  # any colour; else one that can be read
            return self._near(128, 127)
        return self._near(self._between(0, 70) if self._is_light else self._between(180, 255), 20)

    def _font(self, size: int) -> ImageFont.FreeTypeFont:
        # All but the two for large display, which hold few characters.
        fonts = sorted(Path(get_data_path(), "fonts", "ttf").glob("DejaVuS*[!y].ttf"))
        return ImageFont.truetype(fonts[int(self._rng.integers(len(fonts)))], size * FINER)

    def _words(self, count: int) -> str:
        return " ".join(
            "".join(self._rng.choice(SYLLABLES, self._between(1, 4))) for _ in range(count)
        )

    def _paragraph(self, left: int, top: int, width: int, height: int) -> None:
        size, ink = self._between(8, 26), self._ink()
        font, step = self._font(size), round(size * FINER * 1.3)
        for line in range(top, top + height - step, step):
            text = self._words(12)
            while font.getlength(text) > width:
                text = text[:-1]
            self._draw.text((left, line), text, fill=ink, font=font)

    def _title(self, left: int, top: int, width: int, height: int) -> None:
        size, line = self._between(28, 90), top
        while line + size * FINER < top + height:
            font, text = self._font(size), self._words(2)
            while font.getlength(text) > width:
                text = text[:-1]
            self._draw.text((left, line), text, fill=self._ink(), font=font)
            line += round(size * FINER * 1.2)

    def _chart(self, left: int, top: int, width: int, height: int) -> None:
        bars, ink = self._between(4, 14), self._ink()
        for bar in range(bars):
            tall, start = self._between(height // 10, height), left + bar * width // bars
            box = (start, top + height - tall, start + width // bars - 12, top + height)
            self._draw.rectangle(box, self._ink(), ink, self._between(0, 2 * FINER))
        for line in range(top, top + height, height // self._between(4, 10)):
            self._draw.line((left, line, left + width, line), ink, self._between(2, 4))

    def _stripes(self, left: int, top: int, width: int, height: int) -> None:
        angle, step = self._rng.uniform(0, math.pi), self._between(4, 16) * FINER
        part = Image.new("RGB", (width, height), self._ink())
        draw, ink, reach = ImageDraw.Draw(part), self._ink(), width + height
        across = np.array([math.cos(angle), math.sin(angle)])
        along = np.array([-across[1], across[0]]) * reach
        for offset in range(-reach, reach, step):
            middle = across * offset + (width / 2, height / 2)
            draw.line((*(middle - along), *(middle + along)), ink, step // self._between(2, 3))
        self._image.paste(part, (left, top))

    def _shapes(self, left: int, top: int, width: int, height: int) -> None:
        for _ in range(self._between(5, 25)):
            x, y = left + self._between(0, width - 60), top + self._between(0, height - 60)
            right = min(x + self._between(50, width // 2), left + width)
            bottom = min(y + self._between(50, height // 2), top + height)
            paint = self._draw.ellipse if self._rng.random() < 0.5 else self._draw.rectangle
            paint((x, y, right, bottom), self._ink(), self._ink(), self._between(0, 4 * FINER))

    def _strokes(self, left: int, top: int, width: int, height: int) -> None:
        for _ in range(self._between(8, 30)):
            corners = self._rng.uniform((left, top), (left + width, top + height), (4, 2))
            t = np.linspace(0, 1, 40)[:, None]
            parts = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
            curve = sum(part * corner for part, corner in zip(parts, corners, strict=True))
            points = [(float(x), float(y)) for x, y in np.asarray(curve)]
            self._draw.line(points, self._ink(), self._between(2, 6 * FINER), joint="curve")


def main() -> None:
    """Draw all sheets and say where they are from."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sheets", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(chosen.sheets):
        name = f"sheet-{chosen.seed}-{number:03}.png"
        Sheet(1000 * chosen.seed + number).finish().save(chosen.folder / name)
        rows.append((name, "CC0-1.0", "Pixelift", "tools/draw_sheets.py"))
    with (chosen.folder / "SOURCES.tsv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, delimiter="\t", lineterminator="\n")
        table.writerows([("file", "licence", "author", "source"), *rows])


if __name__ == "__main__":
    main()
