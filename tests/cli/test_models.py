import json

import pytest

from pixelift.cli.main import main
from tests.fakes import write_model


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Two networks in a user's folder, and none that is packaged."""
    for name, scale in (("mine", 2), ("mine", 4)):
        write_model(tmp_path / "models", name=name, scale=scale, width=4, depth=2)
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PIXELIFT_HOME", str(tmp_path))
    monkeypatch.setattr("pixelift.zoo.store.PACKAGED_CARDS", tmp_path / "empty")
    return tmp_path


@pytest.mark.usefixtures("home")
def test_models_are_listed_with_what_they_cost_and_how_well_they_do(capsys):
    assert main(["models"]) == 0

    # 5678 MACs for each of 640x360 LR pixels are 1.3 G.
    header, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in capsys.readouterr().out.splitlines()
    ]
    assert header == [
        "name",
        "scale",
        "parameters",
        "MACs",
        "size",
        "licence",
        "Set5",
        "Set14",
        "B100",
    ]
    assert [row[:2] for row in rows] == [["mine", "x2"], ["mine", "x4"]]
    assert [row[2:4] for row in rows] == [["1 K", "1.3 G"], ["1 K", "0.3 G"]]
    assert rows[0][5:] == ["CC0-1.0", "30.50", "–", "–"]


@pytest.mark.usefixtures("home")
def test_json_tells_all_that_the_cards_say(capsys):
    assert main(["models", "--json"]) == 0

    cards = json.loads(capsys.readouterr().out)
    assert [(card["name"], card["scale"]) for card in cards] == [("mine", 2), ("mine", 4)]
    assert cards[0]["scores"] == {"Set5": {"psnr_y": 30.5, "ssim_y": 0.875}}
    assert len(cards[0]["sha256"]) == 64


def test_a_damaged_card_is_told_in_one_line(home, capsys):
    (home / "models" / "mine_x2.toml").write_text("name = 3")

    assert main(["models"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("pixelift: ")
    assert "mine_x2.toml" in err
    assert err.count("\n") == 1


def test_the_table_is_drawn_without_a_model_too(home, capsys):
    for path in (home / "models").iterdir():
        path.unlink()

    assert main(["models"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert main(["models", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_architectures_are_listed_with_their_dials_and_counts(capsys):
    assert main(["models", "--architectures"]) == 0
    lines = {
        cells[1]: cells
        for cells in (
            [c.strip() for c in row.split("|")] for row in capsys.readouterr().out.split("\n")
        )
        if len(cells) > 3
    }
    assert (
        lines["repnet"][3] == "width 32, depth 6, channels 3, identity True, luma False, "
        "leaky False, direct False, skips False"
    )
    assert lines["repnet"][4] == "70 K"
    assert lines["edsr"][4:6] == ["1518 K", "114.2 G"]
    assert "srcnn" in lines

    assert main(["models", "--architectures", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["name"] == "srcnn"
