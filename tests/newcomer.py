"""What somebody has who cloned the repository a minute ago: recipes, and some photos of their own.

The recipes take two steps here, and all else is as it is shipped.
"""

import json
import re
import shlex
from pathlib import Path

import numpy as np
from PIL import Image

from tests.prepared import natural_photo

ROOT = Path(__file__).parents[1]
RECIPES = sorted(path.relative_to(ROOT) for path in (ROOT / "recipes").rglob("*.toml"))

PHOTO_SIDES = (276, 300)
"""Height and width: a little more than the largest crop of any recipe, 256 pixels."""


def shortened(recipe):
    """Let a recipe, given as text, take two steps."""
    text, count = re.subn(r"^steps = [\d_]+$", "steps = 2", recipe, flags=re.MULTILINE)
    assert count == 1
    return text


def copy_recipes(folder):
    """Copy all recipes below a folder, shortened."""
    for path in RECIPES:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(shortened((ROOT / path).read_text(encoding="utf-8")))


def draw_photos(folder, *, count, seed=1):
    """Draw photos that pass the screens; returns the folder."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    for number in range(count):
        picture = Image.fromarray(natural_photo(rng, *PHOTO_SIDES))
        picture.save(folder / f"{number}.png", compress_level=1)
    return folder


def text_of(document):
    """Read a document of the repository: as it is, or the words of a notebook."""
    text = (ROOT / document).read_text(encoding="utf-8")
    if not document.endswith(".ipynb"):
        return text
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown"]
    return "\n".join("".join(cell["source"]) for cell in cells)


def command_lines(text):
    """List the calls of pixelift that a document shows, split into words."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]
    return [words for words in lines if words[:1] == ["pixelift"]]
