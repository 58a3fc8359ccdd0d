from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from pixelift.errors import ConfigError, VideoError
from pixelift.image.geometry import Size
from pixelift.video import encoding as encoding_module
from pixelift.video.clip import Clip
from pixelift.video.encoding import Encoder, Encoding, container_of
from pixelift.video.parts import find_parts
from tests.films import BT2020, PQ, drawn, make_film, read_film

SIZE = Size(48, 64)


def copy(source, output, *, stamp="now", stop_after=None, encoding=Encoding(crf=4)):  # noqa: B008
    """Encode the frames of a film as they are; what was taken over, and what the result lacks."""
    clip = Clip(source)
    with closing(Encoder(output, clip, size=SIZE, encoding=encoding, stamp=stamp)) as encoder:
        for number, frame in enumerate(clip.frames(since=encoder.since)):
            if number == stop_after:
                return encoder.taken_over
            encoder.add(frame)
        encoder.finish(source)
        return encoder.taken_over


@pytest.mark.parametrize("name", ["b.mp4", "b.mov", "b.mkv", "B.MP4"])
def test_pictures_times_and_colours_come_back(tmp_path, name):
    pictures = [drawn(n) for n in range(12)]
    times = [0, 100, 150, 400, 500, 600, 700, 850, 900, 1000, 1100, 1500]
    film = make_film(tmp_path / "a.mkv", pictures, colour=1, times=times)
    assert copy(film, tmp_path / name) == 0
    seconds, frames = read_film(tmp_path / name)
    assert seconds == [time / 1000 for time in times]
    assert np.abs(frames.astype(float) - np.stack(pictures)).mean() < 2
    with av.open(str(tmp_path / name)) as made:
        context = made.streams.video[0].codec_context
        assert (context.colorspace, context.color_range, context.pix_fmt) == (1, 1, "yuv420p")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["a.mkv", name])


def test_ten_bits_are_encoded_as_ten(tmp_path):
    deep = [drawn(n).astype(np.uint16) * 257 for n in range(3)]
    film = make_film(
        tmp_path / "a.mkv", deep, codec="libx265", pix_fmt="yuv420p10le", colour=BT2020
    )
    copy(film, tmp_path / "b.mp4", encoding=Encoding("hevc", 10))
    with av.open(str(tmp_path / "b.mp4")) as made:
        context = made.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("hevc", "yuv420p10le")
        assert (context.colorspace, context.color_primaries) == (BT2020, BT2020)
        assert context.color_trc == PQ


@pytest.mark.parametrize("rotation", [0, 90])
def test_the_shape_of_pixels_is_kept(tmp_path, rotation):
    aspect = Fraction(16, 11)
    pictures = [drawn(0, height=64, width=48) if rotation else drawn(0)] * 3
    film = make_film(tmp_path / "a.mp4", pictures, aspect=aspect, rotation=rotation)
    copy(film, tmp_path / "b.mp4")
    with av.open(str(tmp_path / "b.mp4")) as made:
        video = made.streams.video[0]
        assert video.sample_aspect_ratio == (1 / aspect if rotation else aspect)


@pytest.mark.parametrize("stops", [(10,), (115,), (3, 114, 5, 2)])
def test_a_run_goes_on_where_others_stopped(tmp_path, stops):
    pictures = [drawn(n) for n in range(120)]
    film = make_film(tmp_path / "a.mkv", pictures)
    for stop in stops:
        copy(film, tmp_path / "b.mp4", stop_after=stop)
        assert not (tmp_path / "b.mp4").exists()
    taken_over = copy(film, tmp_path / "b.mp4")
    # Groups of two seconds; what the encoder held back is made again.
    assert taken_over % 20 == 0
    assert (taken_over > 0) == (max(stops) > 90)
    seconds, frames = read_film(tmp_path / "b.mp4")
    assert seconds == [n / 10 for n in range(120)]
    assert np.abs(frames.astype(float) - np.stack(pictures)).mean() < 2
    assert find_parts(tmp_path / "b.mp4") == []


def test_what_was_made_otherwise_is_thrown_away(tmp_path):
    film = make_film(tmp_path / "a.mkv", [drawn(n) for n in range(120)])
    copy(film, tmp_path / "b.mp4", stop_after=115, stamp="large")
    assert len(find_parts(tmp_path / "b.mp4")) == 1
    assert copy(film, tmp_path / "b.mp4", stamp="small") == 0
    assert len(read_film(tmp_path / "b.mp4")[0]) == 120


def test_a_name_that_tells_no_container_is_refused():
    with pytest.raises(ConfigError, match=r'"a\.gif".*\.mp4, \.mov, \.mkv'):
        container_of(Path("a.gif"))


def test_a_full_disk_is_told_in_one_line(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    film = make_film(tmp_path / "a.mkv", [drawn(0)] * 3)
    monkeypatch.setattr(encoding_module, "join", full)
    with pytest.raises(VideoError, match=r"cannot write .*b\.mp4: No space left"):
        copy(film, tmp_path / "b.mp4")
    assert not (tmp_path / "b.mp4").exists()


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    film = make_film(tmp_path / "a.mkv", [drawn(0)] * 3)
    with pytest.raises(VideoError, match="cannot write"):
        copy(film, tmp_path / "missing" / "b.mp4")
