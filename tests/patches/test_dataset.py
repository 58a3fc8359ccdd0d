import numpy as np
import pytest
from PIL import Image

from pixelift.errors import DatasetError
from pixelift.patches.dataset import Settings, open_dataset, read_manifest
from pixelift.patches.prepare import collect_photos, prepare


@pytest.fixture
def prepared(tmp_path, rng):
    photo = tmp_path / "photo.png"
    Image.fromarray(rng.integers(0, 256, (60, 60, 3), dtype=np.uint8)).save(photo)
    settings = Settings(scales=(2,), patch=48, stride=24, holdout=0)
    prepare(collect_photos([photo], "train"), tmp_path / "set", settings=settings, workers=1)
    return tmp_path / "set"


def test_pictures_are_mapped_read_only(prepared):
    picture = open_dataset(prepared).picture(0)
    assert isinstance(picture, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        picture[0, 0] = 0


def test_the_photo_hash_depends_on_the_photos(prepared):
    manifest = read_manifest(prepared)
    assert len(manifest.photos_sha256) == 64
    assert manifest.photos_sha256 == read_manifest(prepared).photos_sha256


@pytest.mark.parametrize("name", ["pictures/00000.hr.npy", "patches.parquet"])
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
    path = prepared / "pictures/00000.x2.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    open_dataset(prepared)
    with pytest.raises(DatasetError, match="SHA-256 differs"):
        open_dataset(prepared, verify="hashes")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "damaged"),
        ("[]", "not the manifest"),
        ('{"format": "pixelift-dataset", "version": 99}', "of version 99"),
        ('{"format": "pixelift-dataset", "version": 1, "extra": 1}', "damaged"),
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
