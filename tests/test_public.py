import inspect
import subprocess
import sys
from importlib import metadata, resources

import pytest

import pixelift

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
        if name != "__version__":
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
