import ast
import contextlib
import importlib
import inspect
import re
import subprocess
import sys
import typing
from importlib import metadata, resources
from pathlib import Path

import pytest

import pixelift

ROOT = Path(__file__).parents[1]

HEAVY = ["torch", "onnxruntime", "openvino", "PIL", "pyvips", "numpy", "onnx", "msgspec"]

LOADED = """
import sys
{statement}
print([name for name in {heavy} if name in sys.modules])
"""


def loaded_by(statement):
    code = LOADED.format(statement=statement, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_pixelift_loads_nothing_heavy():
    assert loaded_by("import pixelift; dir(pixelift); pixelift.errors") == "[]"


def test_this_check_can_fail():
    assert loaded_by("import numpy") == "['numpy']"


def test_looking_at_names_loads_no_engine():
    statement = "import pixelift; pixelift.Upscaler, pixelift.upscale, pixelift.list_models()"
    assert loaded_by(statement) == "['pyvips', 'numpy', 'msgspec']"


def test_every_name_of_the_surface_is_there_and_documented():
    assert pixelift.__all__ == sorted(pixelift.__all__)
    for name in pixelift.__all__:
        value = getattr(pixelift, name)
        assert getattr(pixelift, name) is value
        assert name in dir(pixelift)
        if inspect.isclass(value) or inspect.isroutine(value) or inspect.ismodule(value):
            assert inspect.getdoc(value)


def test_errors_are_reached_through_the_package():
    assert issubclass(pixelift.errors.ShapeError, pixelift.errors.PixeliftError)


def test_the_version_is_that_of_the_installed_package():
    try:
        expected = metadata.version("pixelift")
    except metadata.PackageNotFoundError:
        expected = "unknown"
    assert pixelift.__version__ == expected


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'upscael'"):
        pixelift.upscael  # noqa: B018 - looking is the test


def test_the_package_is_typed():
    assert (resources.files("pixelift") / "py.typed").is_file()


def documented():
    text = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`(\w+)`", row)]


def test_the_documentation_lists_every_name_once_and_no_other():
    assert sorted(documented()) == pixelift.__all__


def test_types_and_late_imports_name_the_same_homes():
    tree = ast.parse(Path(pixelift.__file__).read_text(encoding="utf-8"))
    seen = {
        alias.name: f"{node.module}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("pixelift.")
        for alias in node.names
    }
    assert seen == pixelift._HOMES
    assert {*seen, "errors", "__version__"} == set(pixelift.__all__)


INTERNAL = {"network"}
"""Says of itself that it is for maps and measurements."""


def annotations_of(node):
    """Give the annotations of a function, or of the public fields and methods of a class."""
    if isinstance(node, ast.FunctionDef):
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        found = [node.returns, *(argument.annotation for argument in every)]
        yield from (one for one in found if one is not None)
    elif isinstance(node, ast.AnnAssign):
        yield node.annotation
    elif isinstance(node, ast.ClassDef):
        for part in node.body:
            name = getattr(part, "name", None) or getattr(getattr(part, "target", None), "id", "")
            if (not name.startswith("_") or name == "__init__") and name not in INTERNAL:
                yield from annotations_of(part)


def names_in(annotation):
    for node in ast.walk(annotation):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            with contextlib.suppress(SyntaxError):  # a word of a Literal, and no type
                yield from names_in(ast.parse(node.value, mode="eval"))


def types_of_ours(name, home):
    """Name the types of Pixelift that stand in the signatures of a public name."""
    module = importlib.import_module(home)
    tree = ast.parse(inspect.getsource(module))
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    targets = [part for node in assigned for target in node.targets for part in ast.walk(target)]
    own = {target.id for target in targets if isinstance(target, ast.Name)}
    own |= {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("pixelift"):
            own |= {alias.asname or alias.name for alias in node.names}
    for node in tree.body:
        if getattr(node, "name", "") == name:
            for annotation in annotations_of(node):
                for word in names_in(annotation):
                    value = getattr(module, word, None)
                    is_variable = isinstance(value, typing.TypeVar)
                    # "A name with a pattern", say: a word or a number with a condition.
                    is_plain = typing.get_origin(value) is typing.Annotated
                    if word in own and not is_variable and not is_plain:
                        yield word


def test_everything_that_stands_in_a_public_signature_is_exported():
    found = {name: set(types_of_ours(name, home)) for name, home in pixelift._HOMES.items()}
    assert {"Target", "Card", "Size", "Source"} <= found["Upscaler"]
    assert "Depth" in found["Picture"]
    hidden = {name: types - set(pixelift.__all__) for name, types in found.items()}
    assert not {name: types for name, types in hidden.items() if types}


def test_what_the_documentation_of_the_library_shows_runs(tmp_path, monkeypatch, rng):
    image_module = pytest.importorskip("PIL.Image")
    monkeypatch.chdir(tmp_path)
    image = rng.integers(0, 256, (40, 60, 3), dtype="uint8")
    image_module.fromarray(image).save("photo.jpg")
    text = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    first, second, third = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names = {"image": image, "data": Path("photo.jpg").read_bytes(), "pixelift": pixelift}
    exec(first, names)
    assert names["large"].shape == (80, 120, 3)
    assert str(pixelift.read_picture(names["data"]).size) == "240x160"
    assert str(pixelift.read_picture("large.png").size) == "90x60"
    exec(second, names)
    assert str(pixelift.read_picture("large.tif").size) == "120x80"
    assert third.splitlines()[-1] == 'multiprocessing.set_start_method("spawn", force=True)'
