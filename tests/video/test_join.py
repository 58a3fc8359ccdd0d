from fractions import Fraction

import av
import pytest

from pixelift.errors import VideoError
from pixelift.video import join as join_module
from pixelift.video.join import join
from pixelift.video.parts import read_part
from tests.films import RATE, drawn, make_film, packets


@pytest.fixture
def pictures(tmp_path):
    path = make_film(tmp_path / "pictures", [drawn(n) for n in range(20)], format="nut")
    return [read_part(path)]


def joined(pictures, source, output):
    container = {".mp4": "mp4", ".mkv": "matroska"}[output.suffix]
    return join(pictures, source, output, container=container, rate=RATE)


def source_film(tmp_path, name="a.mkv", **options):
    return make_film(tmp_path / name, [drawn(n) for n in range(20)], sound=2.0, **options)


@pytest.mark.parametrize("name", ["b.mp4", "b.mkv"])
def test_sound_is_kept_bit_for_bit_and_in_time(tmp_path, pictures, name):
    source = source_film(tmp_path)
    assert joined(pictures, source, tmp_path / name) == []
    ours, theirs = packets(tmp_path / name, "audio"), packets(source, "audio")
    assert [data for _, data in ours] == [data for _, data in theirs]
    assert max(abs(a - b) for (a, _), (b, _) in zip(ours, theirs, strict=True)) < 0.002
    with av.open(str(tmp_path / name)) as film:
        assert film.streams.video[0].average_rate == RATE


def test_what_the_film_says_about_itself_is_kept(tmp_path, pictures):
    chapter = {"id": 1, "start": 0, "end": 900, "time_base": Fraction(1, 1000)}
    chapter["metadata"] = {"title": "The beach"}
    source = source_film(tmp_path, metadata={"title": "Holidays"}, chapters=[chapter])
    joined(pictures, source, tmp_path / "b.mkv")
    with av.open(str(tmp_path / "b.mkv")) as film:
        assert film.metadata["title"] == "Holidays"
        (kept,) = film.chapters()
        assert kept["metadata"]["title"] == "The beach"
        assert kept["end"] * kept["time_base"] == Fraction(9, 10)


def test_subtitles_are_kept_where_they_can_be_and_told_where_not(tmp_path, pictures):
    source = source_film(tmp_path, subtitle="Good morning.")
    assert joined(pictures, source, tmp_path / "b.mkv") == []
    assert packets(tmp_path / "b.mkv", "subtitle") == [(0.0, b"Good morning.")]
    assert joined(pictures, source, tmp_path / "b.mp4") == ["subtitle in subrip"]
    assert packets(tmp_path / "b.mp4", "subtitle") == []
    assert packets(tmp_path / "b.mp4", "audio")


def test_a_film_without_sound_stays_so(tmp_path, pictures):
    source = make_film(tmp_path / "a.mp4", [drawn(0)])
    assert joined(pictures, source, tmp_path / "b.mp4") == []
    assert packets(tmp_path / "b.mp4", "audio") == []
    assert len(packets(tmp_path / "b.mp4", "video")) == 20


def test_what_goes_wrong_leaves_nothing_and_keeps_what_was_there(tmp_path, pictures, monkeypatch):
    source_film(tmp_path)
    (tmp_path / "b.mp4").write_bytes(b"the film before")
    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(join_module, "_sound", lambda *_: iter([(0.5, None)]))
    with pytest.raises(AttributeError):
        joined(pictures, tmp_path / "a.mkv", tmp_path / "b.mp4")
    assert (tmp_path / "b.mp4").read_bytes() == b"the film before"
    assert sorted(tmp_path.iterdir()) == before
    with pytest.raises(VideoError):
        joined(pictures, tmp_path / "gone.mkv", tmp_path / "c.mp4")
