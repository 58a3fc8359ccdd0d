import subprocess
import sys

from pixelift.atomic import hidden_stem
from pixelift.batch.claim import claim

OTHER = """
import sys
from pathlib import Path
from pixelift.batch.claim import claim
with claim(Path(sys.argv[1])) as is_ours:
    print(is_ours, flush=True)
    sys.stdin.read()
"""


def start(path):
    return subprocess.Popen(
        [sys.executable, "-c", OTHER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_result_is_claimed_by_one_process_and_free_after_it_was_killed(tmp_path):
    path = tmp_path / "ü a.png"
    with start(path) as other:
        assert other.stdout.readline() == "True\n"
        with claim(path) as is_ours:
            assert not is_ours
        with claim(tmp_path / "b.png") as is_ours:
            assert is_ours
        other.kill()
        other.wait()
    with claim(path) as is_ours:
        assert is_ours
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_cleared_away(tmp_path):
    path = tmp_path / "a.png"
    left = tmp_path / f"{hidden_stem(path)}-0123abcd.png"
    other = tmp_path / f"{hidden_stem(tmp_path / 'b.png')}-0123abcd.png"
    for file in (left, other, path):
        file.touch()
    with claim(path):
        assert not left.exists()
    assert sorted(tmp_path.iterdir()) == sorted([other, path])


def test_a_folder_that_can_not_be_written_is_left_to_the_one_who_writes(tmp_path):
    with claim(tmp_path / "missing" / "a.png") as is_ours:
        assert is_ours
    assert list(tmp_path.iterdir()) == []
