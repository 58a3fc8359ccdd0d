import errno
import zlib

import numpy as np
import pytest
from PIL import Image

from pixelift.errors import DatasetError
from pixelift.patches import dataset as dataset_module
from pixelift.patches.collect import collect_photos
from pixelift.patches.dataset import (
    Settings,
    StoredPicture,
    open_dataset,
    read_manifest,
    save_array,
)
from pixelift.patches.prepare import prepare


@pytest.fixture
def prepared(tmp_path, rng):
    photo = tmp_path / "photo.png"
    Image.fromarray(rng.integers(0, 256, (60, 60, 3), dtype=np.uint8)).save(photo)
    settings = Settings(holdout=0, screens=False)
    prepare(collect_photos([photo], "train"), tmp_path / "set", settings=settings, workers=1)
    return tmp_path / "set"


def test_pictures_are_mapped_read_only(prepared):
    picture = open_dataset(prepared).picture(0)
    assert isinstance(picture, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        picture[0, 0] = 0


def test_luma_is_the_same_out_of_a_set_of_rgb_and_out_of_one_of_luma(prepared, tmp_path):
    sources = collect_photos([tmp_path / "photo.png"], "train")
    settings = Settings(holdout=0, screens=False, channels="y")
    prepare(sources, tmp_path / "y", settings=settings, workers=1)
    made, kept = (open_dataset(folder).luma(0) for folder in (prepared, tmp_path / "y"))
    assert made.shape == kept.shape == (60, 60, 1)
    assert np.array_equal(made[5:60, 9:30], kept[5:60, 9:30])


def test_the_photo_hash_depends_on_the_photos(prepared):
    manifest = read_manifest(prepared)
    assert len(manifest.photos_sha256) == 64
    assert manifest.photos_sha256 == read_manifest(prepared).photos_sha256


@pytest.mark.parametrize("name", ["pictures/00000.npy", "patches.parquet"])
def test_truncated_and_missing_files_are_refused(prepared, name):
    path = prepared / name
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(DatasetError, match=r"has \d+ bytes and must have \d+"):
        open_dataset(prepared)
    path.unlink()
    with pytest.raises(DatasetError, match="training set lacks"):
        open_dataset(prepared)


def test_a_changed_byte_is_found_by_the_hashes(prepared):
    path = prepared / "pictures/00000.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    open_dataset(prepared)
    with pytest.raises(DatasetError, match="its checksum differs"):
        open_dataset(prepared, verify="checksums")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "damaged"),
        ("[]", "not the manifest"),
        ('{"format": "pixelift-dataset", "version": 99}', "of version 99"),
        (
            '{"format": "pixelift-dataset", "version": 1}',
            r"of version 1; this Pixelift reads version 2\. Prepare the photos again",
        ),
        ('{"format": "pixelift-dataset", "version": 2, "extra": 1}', "damaged"),
    ],
)
def test_a_manifest_that_cannot_be_understood_is_refused(prepared, text, message):
    (prepared / "manifest.json").write_text(text)
    with pytest.raises(DatasetError, match=message):
        open_dataset(prepared)


def test_a_folder_without_a_set_says_how_to_make_one(tmp_path):
    with pytest.raises(DatasetError, match="pixelift prepare PHOTOS -o"):
        read_manifest(tmp_path)
    with pytest.raises(DatasetError, match="no such folder"):
        read_manifest(tmp_path / "missing")


@pytest.mark.parametrize("shape", [(5, 7, 3), (600, 500, 1), (0, 3, 3)])
def test_an_array_is_described_while_it_is_written_as_numpy_would(shape, rng, tmp_path, frozen):
    array = frozen(rng.integers(0, 256, shape, dtype=np.uint8))
    stored = save_array(tmp_path / "a.npy", array)
    np.save(tmp_path / "b.npy", array)
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()
    data = (tmp_path / "a.npy").read_bytes()
    assert stored == StoredPicture(bytes=len(data), crc32=zlib.crc32(data))


def test_a_disk_that_takes_only_a_part_at_a_time_loses_nothing(rng, tmp_path, monkeypatch):
    class Grudging:
        def __init__(self, stream):
            self._stream = stream

        def write(self, data):
            return self._stream.write(bytes(data[:1000]))

    write_all = dataset_module._write_all
    monkeypatch.setattr(
        dataset_module, "_write_all", lambda stream, chunk: write_all(Grudging(stream), chunk)
    )
    array = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
    stored = save_array(tmp_path / "a.npy", array)
    assert stored.crc32 == zlib.crc32((tmp_path / "a.npy").read_bytes())
    assert np.array_equal(np.load(tmp_path / "a.npy"), array)


def test_a_full_disk_is_an_error_and_not_a_short_file(rng, tmp_path):
    if not (tmp_path / "/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    (tmp_path / "a.npy").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as caught:
        save_array(tmp_path / "a.npy", rng.integers(0, 256, (40, 50, 3), dtype=np.uint8))
    assert caught.value.errno == errno.ENOSPC
