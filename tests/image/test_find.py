import io

import pytest
from PIL import Image

from pixelift.errors import ImageReadError
from pixelift.image.find import PICTURE_SUFFIXES, find_pictures
from pixelift.image.read import read_picture

OTHER_SUFFIXES = [".bmp", ".ico", ".jp2", ".pcx", ".pdf", ".ppm", ".tga", ".txt"]


def test_pictures_are_found_at_any_depth_in_a_fixed_order(tmp_path):
    names = ["b.JPG", "a/z.png", "a b/ü.webp", "notes.txt", ".hidden.png", ".git/x.png"]
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    found = [p.relative_to(tmp_path).as_posix() for p in find_pictures(tmp_path)]
    assert found == ["a/z.png", "a b/ü.webp", "b.JPG"]


@pytest.mark.parametrize("suffix", sorted(PICTURE_SUFFIXES))
def test_a_picture_of_each_ending_that_is_looked_for_can_be_read(suffix):
    stream = io.BytesIO()
    Image.new("RGB", (9, 6), "teal").save(stream, Image.registered_extensions()[suffix])

    assert str(read_picture(stream.getvalue()).size) == "9x6"


@pytest.mark.parametrize("suffix", OTHER_SUFFIXES)
def test_what_cannot_be_read_is_not_looked_for(suffix, tmp_path):
    path = tmp_path / f"picture{suffix}"
    if suffix in Image.registered_extensions():
        Image.new("RGB", (16, 16), "teal").save(path)
    else:
        path.write_text("no picture")

    assert find_pictures(tmp_path) == []
    with pytest.raises(ImageReadError):
        read_picture(path)


def test_the_names_that_jpegs_have_are_all_known():
    assert {".jpg", ".jpeg", ".jpe", ".jfif"} <= PICTURE_SUFFIXES
