import numpy as np
import pytest

from pixelift.errors import VideoError
from pixelift.image.geometry import Size
from pixelift.video import clip as clip_module
from pixelift.video.clip import Clip
from tests.films import drawn, make_film


def near(pixels, wanted, *, levels):
    return np.abs(pixels.astype(float) - wanted).mean() < levels


def test_a_film_tells_what_it_is_and_gives_its_pictures(tmp_path):
    pictures = [drawn(n) for n in range(7)]
    clip = Clip(make_film(tmp_path / "a.mp4", pictures))
    assert (str(clip.size), clip.expected, clip.depth, clip.rate) == ("64x48", 7, 8, 10)
    frames = list(clip.frames())
    assert [float(frame.pts * clip.time_base) for frame in frames] == [n / 10 for n in range(7)]
    for frame, wanted in zip(frames, pictures, strict=True):
        assert frame.pixels.dtype == np.uint8
        assert near(frame.pixels, wanted, levels=2)


@pytest.mark.parametrize("first", [0, 3, 5, 6])
def test_it_begins_where_it_is_asked_to(tmp_path, first):
    clip = Clip(make_film(tmp_path / "a.mkv", [drawn(n) for n in range(7)]))
    times = [frame.pts for frame in clip.frames()]
    later = list(clip.frames(since=times[first]))
    assert [frame.pts for frame in later] == times[first:]
    assert near(later[0].pixels, drawn(first), levels=2)


def test_times_that_are_uneven_are_kept(tmp_path):
    times = [0, 40, 400, 410, 900]
    film = make_film(tmp_path / "a.mkv", [drawn(n) for n in range(5)], times=times)
    clip = Clip(film)
    assert [round(1000 * frame.pts * clip.time_base) for frame in clip.frames()] == times


@pytest.mark.parametrize(("colour", "height"), [(1, 48), (6, 48), (9, 48), (None, 48), (None, 720)])
def test_colours_are_those_of_the_matrix_that_is_named_or_that_players_assume(
    tmp_path, colour, height
):
    red = np.broadcast_to(np.uint8([200, 40, 60]), (height, 32, 3))
    meant = colour or (1 if height == 720 else 5)
    film = make_film(tmp_path / "a.mp4", [red], colour=meant)
    if colour is None:
        film = make_film(tmp_path / "b.avi", [red], colour=meant, codec="mpeg4")  # names none
    clip = Clip(film)
    assert clip.colour.matrix == (colour or (1 if height == 720 else 6))
    (frame,) = clip.frames()
    assert np.abs(frame.pixels.astype(int) - [200, 40, 60]).max() <= 4


def test_ten_bits_stay_more_than_eight(tmp_path):
    deep = np.linspace(10_000, 50_000, 48 * 64).reshape(48, 64, 1).repeat(3, 2).astype(np.uint16)
    film = make_film(tmp_path / "a.mkv", [deep], codec="libx265", pix_fmt="yuv420p10le")
    clip = Clip(film)
    (frame,) = clip.frames()
    assert clip.depth == 16
    assert frame.pixels.dtype == np.uint16
    assert len(np.unique(frame.pixels[..., 1])) > 300


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_a_film_that_lies_on_its_side_is_put_upright(tmp_path, rotation):
    film = make_film(tmp_path / "a.mp4", [drawn(0)], rotation=rotation)
    wanted = np.rot90(drawn(0), rotation // 90)
    clip = Clip(film)
    (frame,) = clip.frames()
    assert clip.size == Size(*wanted.shape[:2])
    assert near(frame.pixels, wanted, levels=2)


def test_the_cover_of_a_song_is_no_film(tmp_path):
    film = make_film(tmp_path / "a.mp4", [drawn(0)], sound=0.5)
    with clip_module.open_source(film) as container:
        stream = container.streams.video[0]
        stream.disposition = clip_module.Disposition.attached_pic
        with pytest.raises(VideoError, match="no pictures"):
            clip_module.pictures_of(container)


def test_larger_pictures_than_memory_holds_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(clip_module, "MAX_PIXELS", 64 * 48 - 1)
    with pytest.raises(VideoError, match="too large: 64x48"):
        Clip(make_film(tmp_path / "a.mp4", [drawn(0)]))


def test_what_is_no_film_is_told_so(tmp_path):
    text = tmp_path / "a.mp4"
    text.write_text("no film")
    with pytest.raises(VideoError, match="no film that can be read"):
        Clip(text)
    with pytest.raises(VideoError, match="no such file"):
        Clip(tmp_path / "b.mp4")
    with pytest.raises(VideoError, match="folder"):
        Clip(tmp_path)


def test_a_list_of_other_films_is_not_followed(tmp_path):
    make_film(tmp_path / "secret.ts", [drawn(0)], format="mpegts")
    lists = {
        "a.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.ts\n#EXT-X-ENDLIST\n",
        "a.txt": "ffconcat version 1.0\nfile secret.ts\n",
    }
    for name, text in lists.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(VideoError, match="no film that can be read"):
            Clip(tmp_path / name)


def test_a_film_that_changes_its_size_is_told_so(tmp_path):
    small = make_film(tmp_path / "a.h264", [drawn(0)] * 3, format="h264")
    large = make_film(tmp_path / "b.h264", [drawn(0, height=96, width=96)] * 3, format="h264")
    both = tmp_path / "c.h264"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    with pytest.raises(VideoError, match="changes its size from 64x48 to 96x96"):
        list(Clip(both).frames())


def test_frames_without_times_follow_at_the_rate_of_the_film(tmp_path):
    film = make_film(tmp_path / "a.h264", [drawn(n) for n in range(6)], format="h264")
    clip = Clip(film)
    times = [frame.pts for frame in clip.frames()]
    assert len(times) == 6
    assert times == sorted(set(times))
    assert [frame.pts for frame in clip.frames(since=times[4])] == times[4:]
