import itertools
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from pixelift.image.geometry import Size
from pixelift.video.clip import Clip
from pixelift.video.encoding import Encoder, Encoding
from pixelift.video.parts import Part, decoding_times, find_parts, part_path, read_part
from tests.films import drawn, make_film


@given(st.lists(st.integers(0, 500), unique=True, max_size=40))
def test_pictures_are_decoded_in_order_and_never_after_they_are_shown(numbers):
    times = [Fraction(number, 25) for number in numbers]
    decoded = decoding_times(times)
    assert len(decoded) == len(times)
    assert all(early < late for early, late in itertools.pairwise(decoded))
    assert all(decode <= show for decode, show in zip(decoded, times, strict=True))


def test_pictures_that_are_shown_as_they_come_are_not_delayed():
    times = [Fraction(n, 25) for n in range(5)]
    assert decoding_times(times) == times


def encoded(folder, *, count=45, stamp="now"):
    """A hidden file of groups of 20 pictures, which was closed without its end."""
    film = make_film(folder / "a.mkv", [drawn(n) for n in range(count)])
    clip, size, coding = Clip(film), Size(48, 64), Encoding()
    encoder = Encoder(folder / "out.mp4", clip, size=size, encoding=coding, stamp=stamp)
    for frame in clip.frames():
        encoder.add(frame)
    encoder._mux(None)
    encoder.close()
    (path,) = find_parts(folder / "out.mp4")
    return path


def test_what_a_stopped_run_left_counts_but_for_its_last_group(tmp_path):
    path = encoded(tmp_path)
    part = read_part(path, "now")
    assert sorted(part.times) == [Fraction(n, 10) for n in range(40)]
    assert part.end == 4
    whole = read_part(path)
    assert len(whole.times) == 45
    assert read_part(path, "of another film") is None


def test_a_file_may_end_anywhere(tmp_path):
    data = encoded(tmp_path).read_bytes()
    cut = tmp_path / "cut"
    counts = []
    for share in range(0, 101, 4):
        cut.write_bytes(data[: len(data) * share // 100])
        part = read_part(cut, "now")
        counts.append(len(part.times) if part else 0)
        if part:
            assert sorted(part.times) == [Fraction(n, 10) for n in range(len(part.times))]
            assert part.end == Fraction(len(part.times), 10)
    assert set(counts) == {0, 20, 40}
    assert counts == sorted(counts)


def test_each_run_has_a_file_of_its_own(tmp_path):
    output = tmp_path / "film.mp4"
    first = part_path(output, after=[])
    second = part_path(output, after=[Part(first, [], Fraction(0))])
    first.touch()
    second.touch()
    assert find_parts(output) == [first, second]
    assert find_parts(tmp_path / "other.mp4") == []
    assert first.name.startswith(".")
