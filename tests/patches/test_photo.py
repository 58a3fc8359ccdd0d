import errno
import io
import struct
import zlib
from itertools import count

import numpy as np
import pytest
from PIL import Image

from pixelift.errors import DatasetError
from pixelift.image.color import luma
from pixelift.image.resize import downscale, upscale
from pixelift.patches import photo as photo_module
from pixelift.patches.collect import Source
from pixelift.patches.dataset import PictureEntry, Settings, picture_path
from pixelift.patches.luma import luma_u8
from pixelift.patches.photo import Task, prepare_photo, rows_path, writing
from tests.prepared import natural_photo

UNSCREENED = Settings(screens=False)
SCREENED = Settings()


@pytest.fixture
def task(tmp_path, rng):
    """Hand out a function that makes the task of one photo, given as an array or as bytes."""
    (tmp_path / "set" / "pictures").mkdir(parents=True)
    (tmp_path / "set" / "unfinished").mkdir()
    numbers = count()

    def make(content=None, *, settings=UNSCREENED, restore=None, name="photo.png"):
        path = tmp_path / name
        if content is None:
            content = natural_photo(rng, 100, 120)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            Image.fromarray(content).save(path)
        source = Source(path, name, "train")
        return Task(source, next(numbers), tmp_path / "set", settings, restore)

    return make


def rejected(task):
    outcome = prepare_photo(task).outcome
    assert not isinstance(outcome, PictureEntry)
    return outcome


def picture(task):
    return np.load(picture_path(task.folder, task.number))


def encoded(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def test_a_photo_is_stored_with_its_measures(task, rng):
    pixels = natural_photo(rng, 103, 122)
    job = task(pixels, settings=SCREENED)
    done = prepare_photo(job)
    entry = done.outcome
    assert (entry.height, entry.width, done.pixels) == (96, 120, 103 * 122)
    assert np.array_equal(picture(job), pixels[:96, :120])
    assert set(entry.measures) == {"noise_sigma", "blockiness", "sharpness", "clipped"}
    assert len(entry.phash) == 16
    rows = np.load(rows_path(job.folder, job.number))
    assert rows["left"].tolist() == [0, 48, 0, 48]


def test_of_luma_one_channel_is_kept(task, rng):
    pixels = natural_photo(rng, 96, 120)
    job = task(pixels, settings=Settings(screens=False, channels="y"))
    prepare_photo(job)
    assert np.array_equal(picture(job), luma_u8(pixels))


@pytest.mark.parametrize("scale", [2, 3, 5, 7, 8])
def test_the_restoration_error_is_measured_at_the_scale_that_is_asked_for(task, rng, scale):
    pixels = natural_photo(rng, 100, 160)
    job = task(pixels, settings=Settings(scale=scale, screens=False))
    prepare_photo(job)
    rows = np.load(rows_path(job.folder, job.number))
    levels = luma(pixels[:96, :156] / 255)
    restored = upscale(downscale(levels, scale), scale)[:96, :156]
    error = ((restored - levels) ** 2)[:, :144].reshape(2, 48, 3, 48)
    assert rows["restoration_error"] == pytest.approx(error.mean((1, 3)).ravel(), rel=1e-3)


def grey(rng):
    return Image.fromarray(rng.integers(0, 256, (60, 72), dtype=np.uint8))


def deep(rng):
    return Image.fromarray(rng.integers(0, 65536, (60, 72), dtype=np.uint16))


def cmyk(rng):
    return Image.fromarray(rng.integers(0, 256, (60, 72, 4), dtype=np.uint8), "CMYK")


@pytest.mark.filterwarnings("ignore:'mode' parameter is deprecated")
@pytest.mark.parametrize(
    ("make", "kind"), [(grey, "png"), (grey, "jpeg"), (deep, "png"), (cmyk, "jpeg"), (cmyk, "tiff")]
)
def test_grey_cmyk_and_16_bits_become_rgb_of_8_bits(task, rng, make, kind):
    job = task(encoded(make(rng), kind))
    assert isinstance(prepare_photo(job).outcome, PictureEntry)
    stored = picture(job)
    assert (stored.shape, stored.dtype) == ((60, 72, 3), np.uint8)
    if make is not cmyk:
        assert np.array_equal(stored[..., 0], stored[..., 2])
    if make is deep:
        source = np.asarray(Image.open(job.source.path)).astype(np.float64)
        assert np.abs(stored[..., 0] - source / 257).max() <= 0.501


def test_what_cannot_be_read_is_a_failure_with_a_reason(task, rng):
    image = Image.fromarray(natural_photo(rng, 60, 64))
    frames = [Image.fromarray(natural_photo(rng, 60, 64)) for _ in range(2)]
    whole = encoded(image, "jpeg")
    cases = {
        "truncated": whole[: len(whole) // 2],
        "animated": encoded(image, "png", save_all=True, append_images=frames),
        "pages": encoded(image, "tiff", save_all=True, append_images=frames),
        "is no photo": b"these are words",
        "is empty": b"",
    }
    reasons = {name: rejected(task(content)) for name, content in cases.items()}
    assert all(r.is_failure and r.rule == "unreadable" for r in reasons.values())
    for name in ("is no photo", "is empty"):
        assert name in reasons[name].reason
    job = task()
    job.source.path.unlink()
    assert rejected(job).reason == "cannot read it: No such file or directory"


def test_a_bomb_is_refused_before_it_is_decoded(task):
    png = bytearray(encoded(Image.new("1", (8, 8)), "png"))
    png[16:24] = struct.pack(">II", 40000, 10000)
    png[29:33] = struct.pack(">I", zlib.crc32(png[12:29]))
    verdict = rejected(task(bytes(png)))
    assert verdict.is_failure
    assert "40000x10000 = 400 megapixels; allowed are 300. Make it smaller." in verdict.reason


def test_photos_smaller_than_a_patch_or_the_grid_are_left_out(task, rng):
    small = rejected(task(natural_photo(rng, 47, 100)))
    assert small.reason == "100x47 is smaller than a patch of 48 pixels"
    assert (small.rule, small.number, small.is_failure) == ("small", 47, False)
    settings = Settings(patch=8, screens=False)
    small = rejected(task(natural_photo(rng, 11, 100), settings=settings))
    assert small.reason == "100x11 is smaller than 12 pixels, the least of any photo"


def noisy(rng):
    noise = rng.normal(0, 12, (144, 192, 3))
    return np.clip(natural_photo(rng, 144, 192) + noise, 0, 255).astype(np.uint8)


def enlarged(rng):
    image = Image.fromarray(natural_photo(rng, 96, 96))
    return np.asarray(image.resize((288, 288), Image.Resampling.BICUBIC))


def black_and_white(rng):
    return (natural_photo(rng, 144, 192)[..., :1] > 120).repeat(3, axis=2) * np.uint8(255)


@pytest.mark.parametrize(
    ("make", "rule", "words"),
    [
        (noisy, "noise", "noise of"),
        (enlarged, "blur", "blurred or enlarged"),
        (black_and_white, "clipped", "every patch is rejected: at least 1.00 of each is clipped"),
        (lambda _: np.full((96, 96, 3), 90, np.uint8), "flat", "every patch is flat: their"),
    ],
)
def test_screened_photos_carry_the_rule_and_the_number_and_leave_no_files(
    task, rng, make, rule, words
):
    job = task(make(rng), settings=SCREENED)
    verdict = rejected(job)
    assert (verdict.rule, verdict.is_failure) == (rule, False)
    assert words in verdict.reason
    assert isinstance(verdict.number, float)
    assert not list((job.folder / "pictures").iterdir())


def test_without_screens_noise_is_kept(task, rng):
    assert isinstance(prepare_photo(task(noisy(rng))).outcome, PictureEntry)


def test_an_over_compressed_large_photo_is_halved_where_that_is_asked_for(task, rng):
    large = Image.fromarray(natural_photo(rng, 1008, 1200))
    spoilt = encoded(large, "jpeg", quality=25)
    assert rejected(task(spoilt, settings=SCREENED)).rule == "blockiness"
    job = task(spoilt, settings=Settings(repair=True), name="again.jpg")
    outcome = prepare_photo(job).outcome
    assert (outcome.repaired, outcome.height, outcome.width) == ("halved", 504, 600)
    decoded = np.asarray(Image.open(io.BytesIO(spoilt)))
    stored = picture(job)
    assert np.abs(stored.astype(int) - downscale(decoded, 2)).mean() < 1


def test_the_loss_of_a_network_fills_its_column(task, rng):
    pixels = natural_photo(rng, 96, 96)
    seen = []

    def perfect(lr):
        seen.append(lr)
        return (pixels / 255).astype(np.float32)

    job = task(pixels, settings=Settings(screens=False, network="x"), restore=perfect)
    prepare_photo(job)
    assert np.array_equal(seen[0], downscale(pixels, 4))
    rows = np.load(rows_path(job.folder, job.number))
    assert rows["network_loss"] == pytest.approx(np.zeros(4), abs=1e-6)
    assert (rows["restoration_error"] > 0.1).all()


def test_what_was_done_is_not_done_again_unless_it_is_damaged(task, rng, monkeypatch):
    job = task()
    first = prepare_photo(job)
    refused = task(natural_photo(rng, 20, 20), name="small.png")
    verdict = prepare_photo(refused).outcome
    with monkeypatch.context() as patched:
        patched.setattr(photo_module, "read_u8", None)
        again = prepare_photo(job)
        assert (again.outcome, again.pixels) == (first.outcome, 0)
        assert prepare_photo(refused).outcome == verdict
    path = picture_path(job.folder, job.number)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert prepare_photo(job) == first
    assert path.read_bytes() == whole


def test_what_could_not_be_read_is_tried_again(task):
    job = task(b"these are words")
    assert rejected(job).is_failure
    Image.new("RGB", (96, 96)).save(job.source.path)
    assert isinstance(prepare_photo(job).outcome, PictureEntry)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_ends_the_run_and_is_not_blamed_on_the_photo(task, monkeypatch, number):
    def full(*_):
        raise OSError(number, "No space left on device")

    job = task()
    monkeypatch.setattr(photo_module, "save_array", full)
    with pytest.raises(DatasetError, match=r"cannot write to .*: No space left .* make room there"):
        prepare_photo(job)
    with (
        pytest.raises(DatasetError, match=r"Read-only file system.* mend that"),
        writing(job.folder),
    ):
        raise OSError(errno.EROFS, "Read-only file system")


def test_memory_that_runs_out_ends_the_run_with_what_to_do(task, monkeypatch):
    def greedy(_):
        raise MemoryError

    monkeypatch.setattr(photo_module, "read_u8", greedy)
    with pytest.raises(DatasetError, match=r"memory ran out at photo\.png.* --workers 1"):
        prepare_photo(task())
