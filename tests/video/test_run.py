from fractions import Fraction

import numpy as np
import pytest

from pixelift.batch.claim import claim
from pixelift.errors import ConfigError, VideoError
from pixelift.infer.target import Target
from pixelift.infer.upscaler import Upscaler
from pixelift.video.encoding import Encoding
from pixelift.video.parts import find_parts
from pixelift.video.run import enlarge
from tests.fakes import write_model
from tests.films import drawn, make_film, packets, read_film


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    write_model(tmp_path / "home" / "models", scale=2, gain=0.0, width=4, depth=2)
    monkeypatch.setenv("PIXELIFT_HOME", str(tmp_path / "home"))


def run(source, output, **options):
    return enlarge(source, output, encoding=Encoding(crf=4), model="fake", **options)


def test_each_frame_is_what_the_upscaler_makes_of_it(tmp_path):
    pictures = [drawn(n) for n in range(8)]
    film = make_film(tmp_path / "a.mkv", pictures, sound=0.8)
    seen = []
    made = run(film, tmp_path / "b.mp4", watch=lambda done, expected: seen.append((done, expected)))
    assert (str(made.size), str(made.out_size), made.frames) == ("64x48", "128x96", 8)
    assert seen == [(n, made.expected) for n in range(1, 9)]
    seconds, frames = read_film(tmp_path / "b.mp4")
    assert seconds == [n / 10 for n in range(8)]
    upscaler = Upscaler("fake", scale=2)
    wanted = np.stack([upscaler.upscale(picture) for picture in read_film(film)[1]])
    assert np.abs(frames.astype(float) - wanted).mean() < 2
    assert len(packets(tmp_path / "b.mp4", "audio")) == len(packets(film, "audio"))


def test_frames_that_repeat_are_not_computed_again(tmp_path, monkeypatch):
    pictures = [drawn(n // 4) for n in range(12)]
    film = make_film(tmp_path / "a.avi", pictures, codec="ffv1")
    calls = []
    upscale = Upscaler.upscale
    monkeypatch.setattr(
        Upscaler, "upscale", lambda self, image: calls.append(1) or upscale(self, image)
    )
    made = run(film, tmp_path / "b.mkv")
    assert (made.frames, made.repeated, len(calls)) == (12, 9, 3)
    assert len(read_film(tmp_path / "b.mkv")[0]) == 12


def test_a_run_that_was_stopped_is_gone_on_with(tmp_path):
    film = make_film(tmp_path / "a.mkv", [drawn(n) for n in range(120)])

    def stop(done, _):
        if done == 115:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(film, tmp_path / "b.mp4", watch=stop)
    assert not (tmp_path / "b.mp4").exists()
    made = run(film, tmp_path / "b.mp4")
    assert made.frames == 120
    assert made.taken_over in (20, 40, 60, 80, 100)  # not what the encoder had kept back
    assert read_film(tmp_path / "b.mp4")[0] == [n / 10 for n in range(120)]
    assert find_parts(tmp_path / "b.mp4") == []


@pytest.mark.parametrize("changed", [{"scale": Target(width=100)}, {"consistent": True}])
def test_another_size_and_other_pixels_begin_anew(tmp_path, changed):
    film = make_film(tmp_path / "a.mkv", [drawn(n) for n in range(120)])

    def stop(done, _):
        if done == 115:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(film, tmp_path / "b.mp4", watch=stop)
    assert run(film, tmp_path / "b.mp4", **changed).taken_over == 0


def test_sides_become_even(tmp_path):
    film = make_film(tmp_path / "a.mkv", [drawn(0)] * 2)
    made = run(film, tmp_path / "b.mp4", scale=Target(scale=Fraction(33, 32)))
    assert str(made.out_size) == "66x50"
    assert read_film(tmp_path / "b.mp4")[1].shape == (2, 50, 66, 3)


def test_two_processes_do_not_make_the_same_film(tmp_path):
    film = make_film(tmp_path / "a.mkv", [drawn(0)] * 2)
    with claim(tmp_path / "b.mp4"):
        assert run(film, tmp_path / "b.mp4") is None


def test_a_film_that_ends_early_is_told_by_its_frames(tmp_path):
    film = make_film(tmp_path / "a.mkv", [drawn(n) for n in range(40)])
    data = film.read_bytes()
    film.write_bytes(data[: len(data) // 2])
    made = run(film, tmp_path / "b.mp4")
    assert 0 < made.frames < made.expected == 40


def test_what_cannot_be_done_is_told_before_anything_is_made(tmp_path):
    film = make_film(tmp_path / "a.mkv", [drawn(0)])
    with pytest.raises(VideoError, match="no folder"):
        run(film, tmp_path / "missing" / "b.mp4")
    with pytest.raises(ConfigError, match="allowed are names that end in"):
        run(film, tmp_path / "b.webm")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mkv", "home"]


def test_a_film_has_one_network_for_all_frames(tmp_path):
    with pytest.raises(ConfigError, match=r'model "auto" .* and a film takes one network for all'):
        enlarge(tmp_path / "film.mp4", tmp_path / "large.mp4", model="auto")
