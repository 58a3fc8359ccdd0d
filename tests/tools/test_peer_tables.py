import pytest

from peer_tables import beaten, side_by_side


def row(name, kind, ms, psnr_y, precision="f32"):
    return {
        "name": name,
        "kind": kind,
        "scale": 2,
        "precision": precision,
        "ms": ms,
        "peak_mib": 99.6,
        "quality": {"Set5": {"psnr_y": psnr_y, "ssim_y": 0.95}},
    }


@pytest.fixture
def result():
    verdict = {"beaten_by": ["swift"], "better": ["fine", "swift"], "faster": ["swift"]}
    slower = {"beaten_by": [], "better": ["swift"], "faster": []}
    return {
        "results": [
            row("slow net", "dnn", 50.04, 36.5),
            row("swift", "tier", 9.96, 37.2),
            row("quick one", "resizer", 1.0, 34.0) | {"scale": 3},
        ],
        "verdicts": [
            {"name": "slow net", "scale": 2, "f32": verdict},
            {"name": "quick one", "scale": 2, "f32": slower},
        ],
    }


def test_the_quickest_comes_first_and_tiers_stand_out(result):
    lines = side_by_side(result, 2).splitlines()
    assert [cell.strip() for cell in lines[2].strip("|").split("|")] == [
        "**swift**",
        "float32",
        "37.20 / 0.9500",
        "10.0",
        "100",
    ]
    assert "slow net" in lines[3]


def test_who_is_beaten_and_who_is_not_is_named(result):
    text = beaten(result)
    assert "| slow net  |                   swift |" in text
    assert "nobody (none is faster)" in text
    assert text.endswith("Not beaten in float32: quick one x2.")


def test_a_peer_that_is_missing_at_a_scale_leaves_its_cell_empty(result):
    result["verdicts"][1]["scale"] = 3
    assert "| quick one |           – | nobody (none is faster) |" in beaten(result)


def test_peers_of_one_kind_may_be_told_of_alone(result):
    text = beaten(result, kind="dnn")
    assert text.endswith("Not beaten in float32: nobody.")
    assert "quick one" not in text
