import inspect

import pytest

from pixelift import errors
from pixelift.errors import PixeliftError, UnknownNameError, unknown_name

CLASSES = {
    name: value
    for name, value in vars(errors).items()
    if inspect.isclass(value) and issubclass(value, PixeliftError)
}


def drawn_tree():
    """Read the tree in the docstring: each name with the name above it."""
    above = []
    for line in inspect.getdoc(errors).splitlines():
        name = line.lstrip("│├└─ ").split(" ")[0]
        if name in CLASSES:
            depth = (len(line) - len(line.lstrip("│├└─ "))) // 4
            above[depth:] = [name]
            yield name, above[depth - 1] if depth else None


def test_the_tree_that_is_drawn_is_the_tree_that_there_is():
    drawn = dict(drawn_tree())
    assert drawn == {
        name: value.__bases__[0].__name__ if value is not PixeliftError else None
        for name, value in CLASSES.items()
    }


def test_each_error_says_when_it_is_raised_and_can_be_caught_by_the_base():
    for name, value in CLASSES.items():
        assert inspect.getdoc(value).endswith("."), name
        with pytest.raises(PixeliftError, match="what to type"):
            raise value("what failed, and what to type")


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("UnknownNameError", LookupError),
        ("ShapeError", ValueError),
        ("EngineUnavailableError", ImportError),
        ("OutOfMemoryError", MemoryError),
    ],
)
def test_some_are_also_what_python_would_raise(name, builtin):
    assert issubclass(CLASSES[name], builtin)


def test_a_mistyped_name_is_answered_with_the_nearest():
    error = unknown_name("model", "balanced-x4", ["fast", "balanced"], hint="pixelift models")
    assert isinstance(error, UnknownNameError)
    assert str(error) == ('no model "balanced-x4". Did you mean "balanced"? Run: pixelift models')


def test_two_names_that_are_near_are_both_offered():
    error = unknown_name("model", "balance", ["balances", "balanced"], hint="pixelift models")
    assert 'Did you mean "balances" or "balanced"?' in str(error)


def test_a_name_like_none_is_answered_with_all_in_order():
    error = unknown_name("model", "zzz", iter(["fast", "balanced"]), hint="pixelift models")
    assert str(error) == 'no model "zzz". Known: balanced, fast. Run: pixelift models'


def test_an_empty_table_is_told():
    assert "Known: none." in str(unknown_name("model", "any", [], hint="pixelift models"))
