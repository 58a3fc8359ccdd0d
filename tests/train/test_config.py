import json
from pathlib import Path

import msgspec
import pytest

from pixelift.degrade.draw import Degradation
from pixelift.errors import ConfigError
from pixelift.train.config import Recipe, load_recipe


def recipe(tmp_path, text, *changes):
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    return load_recipe(path, changes)


def test_an_empty_recipe_is_all_defaults(tmp_path):
    assert recipe(tmp_path, "") == Recipe()


def test_changes_are_toml_values_or_plain_text(tmp_path):
    changed = recipe(
        tmp_path,
        "[optim]\nsteps = 5\n",
        "optim.steps=50",
        "optim.learning_rate = 2e-3",
        "model.dials={width=16}",
        "run.precision=f32",
        "run.start_from=runs/a b",
    )
    assert changed.optim.steps == 50
    assert changed.optim.learning_rate == 2e-3
    assert changed.model.dials == {"width": 16}
    assert changed.run.precision == "f32"
    assert changed.run.start_from == "runs/a b"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[optim]\nlearning_rat = 1\n",
            r'optim\.learning_rat is no setting. Did you mean "learning_rate"\?',
        ),
        ("[optimizer]\nsteps = 1\n", r': optimizer is no setting. Did you mean "optim"\?'),
        ("[distill]\nzzz = 1\n", r"distill\.zzz is no setting. Known: teacher, weight\."),
        ("[data.sampling]\nkep = 1\n", r'data\.sampling\.kep is no setting. Did you mean "keep"'),
        ("[optim]\nsteps = 0\n", r"toml: optim\.steps: Expected `int` >= 1\."),
        ("[optim]\nloss = 'l3'\n", r": optim\.loss: Invalid enum value 'l3'"),
        ("[data]\nworkers = 'many'\n", r": data\.workers: "),
        ("optim = 3\n", r": optim: Expected `object`, got `int`"),
        (
            "[model]\ndials = {width = 1.5}\n",
            r"model\.dials\.width is 1\.5; a dial is a whole number",
        ),
        ("[model]\ndials = {depth = 5000}\n", r"model\.dials\.depth is 5000; .* from 1 to 1024"),
        ("[model]\ndials = {width = 0}\n", r"model\.dials\.width is 0; "),
        ("[model]\ndials = {scale = 3}\n", r"the scale is no dial. Set model\.scale = 3"),
        ("[model]\ndials = [3]\n", r": model\.dials: Expected `object`, got `array`"),
        ("[data]\nbatch = 100_000\n", r": data\.batch: Expected `int` <= 4096"),
        ("[run]\nseed = 99999999999999999999999\n", r": run\.seed: "),
        ("[optim]\nsteps = 99999999999999999999999\n", r": optim\.steps: "),
        ("[optim]\nlearning_rate = nan\n", r": optim\.learning_rate: Expected `float` > 0"),
        ("[optim]\nfinal_rate = inf\n", r": optim\.final_rate: Expected `float` <= 1000000"),
        ("[optim]\nfinal_rate = 0.1\n", r": optim: final_rate 0\.1 is above learning_rate 0\.001"),
        (
            "[data]\ndegrade = 'foto'\n",
            r'no degradation "foto"; allowed are clean, photo, real, heavy',
        ),
        ("[data.degrade]\nnoise = 1\n", r"data\.degrade"),
        ("[data.degrade]\nquality = [90, 20]\n", r"the smaller one comes first"),
        ("[model\n", "not valid TOML"),
    ],
)
def test_wrong_keys_and_values_are_refused_with_their_path(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        recipe(tmp_path, text)


def test_a_degradation_is_a_preset_or_a_table(tmp_path):
    assert recipe(tmp_path, "").data.degrade == "clean"
    assert recipe(tmp_path, "[data]\ndegrade = 'photo'\n").data.degrade == "photo"
    table = recipe(tmp_path, "[data.degrade]\nkernels = ['area']\nnoise_share = 0.5\n").data.degrade
    assert table == Degradation(kernels=("area",), noise_share=0.5)


@pytest.mark.parametrize("change", ["optim.steps", "=5", "optim..steps=5"])
def test_a_change_that_is_no_assignment_is_refused(tmp_path, change):
    with pytest.raises(ConfigError, match=r"write it as --set optim\.steps=500"):
        recipe(tmp_path, "", change)


def test_a_change_below_a_value_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="steps is a value and not a table"):
        recipe(tmp_path, "[optim]\nsteps = 5\n", "optim.steps.more=5")


def test_a_missing_recipe_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot read recipe"):
        load_recipe(tmp_path / "no.toml")


def test_the_documentation_names_every_setting_with_its_default():
    text = (Path(__file__).parents[2] / "docs" / "training.md").read_text()
    rows = [line.split("|")[1:3] for line in text.splitlines() if line.startswith("| `")]
    told = {key.strip(" `"): default.strip(" `") for key, default in rows if "." in key}
    for section, settings in msgspec.to_builtins(Recipe()).items():
        for key, default in settings.items():
            place = f"{section}.{key}"
            assert place in told, place
            if place != "data.sampling":
                assert json.loads(told.pop(place)) == default, place
            else:
                told.pop(place)
    assert not [key for key in told if key.split(".")[0] in msgspec.to_builtins(Recipe())]


def test_keys_are_looked_for_inside_of_tables_that_may_be_names_too(tmp_path):
    with pytest.raises(ConfigError, match=r"data\.degrade\.zzz is no setting. Known: "):
        recipe(tmp_path, "[data.degrade]\nzzz = 1\n")
    assert recipe(tmp_path, "[data]\ndegrade = 'photo'\n").data.degrade == "photo"
