"""Every shipped recipe starts, and every line about training that a document shows runs."""

import re
from pathlib import Path

import pytest

from pixelift.cli.main import main
from pixelift.train.config import load_recipe
from tests.newcomer import (
    RECIPES,
    ROOT,
    command_lines,
    copy_recipes,
    draw_photos,
    shortened,
    text_of,
)

TRAINING = ("prepare", "train", "export")


@pytest.fixture(scope="module")
def one_set(tmp_path_factory):
    """Hand out the set that the README's line makes of eight photos."""
    folder = tmp_path_factory.mktemp("one_set")
    photos = draw_photos(folder / "photos", count=8)
    assert main(["prepare", str(photos), "-o", str(folder / "set"), "--workers", "1"]) == 0
    return folder / "set"


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_every_recipe_starts_on_one_set_of_eight_photos(recipe, one_set, tmp_path, capsys):
    changes = ["optim.steps=2", "run.validate_every=2", "data.batch=1", "run.valid_crop=48"]
    # SOAP begins with the eigenvectors of each kernel: a minute for those of SRResNet's 9x9.
    changes += ["optim.optimizer=adam"] if "peers" in recipe.parts else []
    words = [word for change in changes for word in ("--set", change)]
    command = ["train", ROOT / recipe, "--data", one_set, "-o", tmp_path / "run", *words]

    code = main([str(word) for word in command])

    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    assert "step 2: PSNR-Y " in out
    source = load_recipe(ROOT / recipe).run.start_from
    told = [line for line in out.splitlines() if line.startswith("started from ")]
    assert len(told) == bool(source)
    # A packaged network goes on as it is: nothing of it is left out, and nothing is new.
    assert all(line.startswith(f"started from {source}") for line in told)
    assert not any("new" in line or "changes" in line for line in told)


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_a_recipe_opens_with_its_own_command(recipe):
    first = (ROOT / recipe).read_text(encoding="utf-8").splitlines()[0]
    assert re.fullmatch(rf"# pixelift train {recipe} --data DATASET -o runs/\w+", first)


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_what_begins_with_nothing_draws_by_content(recipe):
    settings = load_recipe(ROOT / recipe)
    by_content = settings.data.sampling.by != "uniform"
    assert by_content or settings.optim.loss == "psnr"
    # Trained for a table that was measured so; each says that it is an exception.
    if "peers" not in recipe.parts:
        assert by_content == (recipe.stem == "vivid_x4" or not settings.run.start_from)


def test_the_trials_differ_in_their_networks_alone():
    trials = [load_recipe(ROOT / recipe) for recipe in RECIPES if "trials" in recipe.parts]
    assert len({trial.model.architecture for trial in trials}) == len(trials) == 2
    for part in ("data", "optim", "run", "distill", "adversarial"):
        assert getattr(trials[0], part) == getattr(trials[1], part)


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """Stand in the folder of somebody who has the recipes, and pictures as documents name them."""
    monkeypatch.chdir(tmp_path)
    copy_recipes(tmp_path)
    draw_photos(tmp_path / "photos", count=8)
    draw_photos(tmp_path / "testset/HR", count=1, seed=2)
    for name in ("photo.jpg", "letter.png"):
        (tmp_path / name).write_bytes((tmp_path / "photos/0.png").read_bytes())
    return tmp_path


def run_all(commands):
    for words in commands:
        assert main(words[1:]) == 0, words


@pytest.mark.slow
@pytest.mark.parametrize("document", ["README.md", "notebooks/enhance_model.ipynb"])
@pytest.mark.usefixtures("clone")
def test_the_lines_about_training_run_as_they_stand(document):
    commands = command_lines(text_of(document))
    first = next(n for n, words in enumerate(commands) if words[1] == "prepare")

    run_all(commands[first:])

    assert {words[1] for words in commands[first:]} >= {*TRAINING, "upscale"}
    assert Path("mine_x2.onnx").is_file()


@pytest.mark.usefixtures("clone")
def test_the_line_about_preparing_runs_as_it_stands():
    (words,) = command_lines(text_of("notebooks/data_preprocessing.ipynb"))
    run_all([words])
    assert Path("set/report.html").is_file()


@pytest.mark.slow
def test_the_lines_of_the_page_about_training_run_as_they_stand(clone):
    text = text_of("docs/training.md")
    draw_photos(clone / "scans", count=3, seed=3)
    draw_photos(clone / "other_scans", count=1, seed=4)
    (scans,) = (t for t in re.findall(r"```toml\n(.*?)```", text, re.DOTALL) if "balanced" in t)
    Path("scans.toml").write_text(shortened(scans))
    # What the page calls a wider network and a small one, at the scale of the run that it names.
    small = shortened(Path("recipes/balanced_x2.toml").read_text()).replace(
        "width = 32", "width = 16"
    )
    Path("small.toml").write_text(small.replace('start_from = "balanced"', ""))
    Path("wide.toml").write_text(small.replace("width = 16", "width = 48"))

    commands = command_lines(text)

    assert len(commands) >= 10
    run_all(commands)
    assert Path("scans_x2.onnx").is_file()
