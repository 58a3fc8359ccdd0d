import pytest

from pixelift.errors import UnknownNameError
from pixelift.infer.family import Family
from tests.fakes import write_model

OPTIONS = {"engine": "auto", "precision": "f32", "threads": 1}


@pytest.fixture
def home(tmp_path, monkeypatch):
    for scale in (2, 3):
        write_model(tmp_path / "models", scale=scale, width=4, depth=2)
    monkeypatch.setenv("PIXELIFT_HOME", str(tmp_path))
    return tmp_path / "models"


@pytest.mark.usefixtures("home")
def test_a_name_has_all_its_scales_and_opens_each_once():
    family = Family("fake", **OPTIONS)
    assert family.scales == (2, 3)
    assert family.network(3).card.key == "fake_x3"
    assert family.network(3) is family.network(3)


def test_a_file_and_a_name_with_its_scale_have_that_one(home):
    assert Family(home / "fake_x2.onnx", **OPTIONS).scales == (2,)
    assert Family("fake_x3", **OPTIONS).scales == (3,)


@pytest.mark.usefixtures("home")
def test_an_unknown_model_is_told_at_once():
    with pytest.raises(UnknownNameError, match='no model "fak"'):
        Family("fak", **OPTIONS)
