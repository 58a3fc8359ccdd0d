import os
from pathlib import Path

import pytest


def test_a_set_is_made_and_made_again_from_its_plans(told, save):
    save("hr/a.png", size=(40, 24))
    save("hr/in/b.jpg", size=(24, 40))
    code, out, err = told("degrade", "hr", "-o", "lr", "--preset", "heavy", "--seed", 3, "-s", 2)
    assert (code, err) == (0, "")
    assert out == "lr: 2 pictures made, 0 were there, 0 left out; x2 by heavy, seed 3\n"
    code, out, _ = told("degrade", "hr", "-o", "again", "--plan", "lr/plans.json")
    assert code == 0
    for name in ("a.png", "in/b.png", "plans.json"):
        assert Path("again", name).read_bytes() == Path("lr", name).read_bytes()
    code, out, _ = told("degrade", "hr", "-o", "lr", "--preset", "heavy", "--seed", 3, "-s", 2)
    assert "0 pictures made, 2 were there" in out


def test_a_bad_picture_is_told_in_one_line_and_the_exit_code(told, save):
    save("hr/a.png", size=(40, 24))
    Path("hr/b.png").write_bytes(b"no picture")
    code, out, err = told("degrade", "hr", "-o", "lr")
    assert code == 1
    assert err.startswith("pixelift: left out b.png: cannot read")
    assert err.count("\n") == 1
    assert out == "lr: 1 pictures made, 0 were there, 1 left out; x4 by photo, seed 0\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-s", 9], "scale is 9; allowed are 1 to 8"),
        (["--seed", "-1"], "seed is -1; allowed are numbers from 0 up"),
        (["--preset", "foto"], "foto"),
        (["--plan", "none.json"], "cannot read plans from none.json"),
        (["--plan", "none.json", "--seed", 1], "--plan holds all that is drawn"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_done(told, save, words, message):
    save("hr/a.png", size=(40, 24))
    code, _, err = told("degrade", "hr", "-o", "lr", *words)
    assert code == 2
    assert message in err
    assert not Path("lr").exists()


def test_names_that_are_no_text_and_what_is_no_file_stop_nothing(told, save):
    save("hr/a.png", size=(40, 24)).rename(os.fsdecode(b"hr/caf\xe9.png"))
    os.mkfifo("hr/pipe.png")

    for done in ("1 pictures made, 0 were there, 1 left", "0 pictures made, 1 were there, 1 left"):
        code, out, err = told("degrade", "hr", "-o", "lr")
        assert code == 1
        assert done in out
        assert err.startswith(
            'pixelift: left out pipe.png: cannot read "hr/pipe.png": it is a pipe'
        )
    assert r"caf\\xe9.png" in Path("lr/plans.json").read_text()
