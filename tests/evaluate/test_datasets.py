import numpy as np
import pytest
from PIL import Image

from pixelift.errors import DatasetError, ImageReadError, ShapeError
from pixelift.evaluate.datasets import Source, find_sources, hash_sources, load_pair
from pixelift.image.resize import downscale


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)
    return path


@pytest.fixture
def photo(rng):
    return rng.integers(0, 256, (11, 14, 3), dtype=np.uint8)


def test_pictures_are_found_in_the_order_of_their_names(tmp_path, photo):
    for name in ("b.png", "a.tif", ".hidden.png", "deeper/c.png", "d.bmp"):
        save(tmp_path / name, photo)
    (tmp_path / "notes.txt").write_text("no picture")

    assert find_sources(tmp_path, scale=2) == [
        Source("a", tmp_path / "a.tif"),
        Source("b", tmp_path / "b.png"),
    ]


def test_files_that_differ_in_their_ending_only_keep_it_in_their_names(tmp_path, photo):
    for name in ("a.png", "a.gif", "b.png"):
        save(tmp_path / name, photo)

    assert [s.name for s in find_sources(tmp_path, scale=2)] == ["a.gif", "a.png", "b"]


def test_a_folder_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"nowhere does not exist.*--hr DIR"):
        find_sources(tmp_path / "nowhere", scale=2)


def test_a_missing_lr_folder_is_refused(tmp_path, photo):
    save(tmp_path / "a.png", photo)

    with pytest.raises(DatasetError, match=r"nowhere does not exist.*--lr DIR"):
        find_sources(tmp_path, scale=2, lr=tmp_path / "nowhere")


def test_an_empty_folder_is_refused_and_a_folder_of_pictures_inside_is_offered(tmp_path, photo):
    with pytest.raises(DatasetError, match="Give a folder of pictures"):
        find_sources(tmp_path, scale=2)

    save(tmp_path / "HR" / "a.png", photo)
    with pytest.raises(DatasetError, match=r"Did you mean --hr .*HR"):
        find_sources(tmp_path, scale=2)


def test_lr_is_made_by_bicubic_from_hr_cut_to_a_multiple_of_the_scale(tmp_path, photo):
    source = Source("a", save(tmp_path / "a.png", photo))

    lr, hr = load_pair(source, scale=3)

    assert np.array_equal(hr, photo[:9, :12])
    assert np.array_equal(lr, downscale(photo[:9, :12], 3))
    assert lr.dtype == hr.dtype == np.uint8


@pytest.mark.parametrize("name", ["a.png", "ax2.png", "a.tif"])
def test_lr_is_read_from_the_file_of_the_same_name(tmp_path, photo, rng, name):
    save(tmp_path / "hr" / "a.png", photo)
    small = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    save(tmp_path / "lr" / name, small)

    (source,) = find_sources(tmp_path / "hr", scale=2, lr=tmp_path / "lr")
    lr, hr = load_pair(source, scale=2)

    assert np.array_equal(lr, small)
    assert hr.shape == (10, 14, 3)


def test_lr_is_found_in_the_folder_of_its_scale(tmp_path, photo):
    save(tmp_path / "hr" / "a.png", photo)
    save(tmp_path / "lr" / "X2" / "ax2.png", photo[:5, :7])
    save(tmp_path / "lr" / "X3" / "ax3.png", photo[:3, :4])

    (source,) = find_sources(tmp_path / "hr", scale=3, lr=tmp_path / "lr")

    assert np.array_equal(load_pair(source, scale=3)[0], photo[:3, :4])


def test_an_lr_picture_that_is_missing_is_told_with_the_names_it_may_have(tmp_path, photo):
    save(tmp_path / "hr" / "a.png", photo)
    save(tmp_path / "lr" / "b.png", photo)
    (source,) = find_sources(tmp_path / "hr", scale=2, lr=tmp_path / "lr")

    with pytest.raises(DatasetError, match="its name must be a or ax2"):
        load_pair(source, scale=2)


def test_an_lr_picture_of_another_size_is_refused_with_the_size_it_must_have(tmp_path, photo):
    save(tmp_path / "hr" / "a.png", photo)
    save(tmp_path / "lr" / "a.png", photo[:6, :7])
    (source,) = find_sources(tmp_path / "hr", scale=2, lr=tmp_path / "lr")

    with pytest.raises(DatasetError, match=r"is 7x6, but a\.png at scale 2 needs 7x5"):
        load_pair(source, scale=2)


def test_a_grey_file_is_taken_as_rgb_with_equal_channels(tmp_path, photo):
    source = Source("a", save(tmp_path / "a.png", photo[..., 0]))

    lr, hr = load_pair(source, scale=2)

    assert lr.shape == (5, 7, 3)
    assert np.array_equal(hr, np.stack([photo[:10, :14, 0]] * 3, axis=2))


def test_alpha_is_ignored(tmp_path, photo):
    rgba = np.dstack([photo, np.full(photo.shape[:2], 7, np.uint8)])
    source = Source("a", save(tmp_path / "a.png", rgba))

    assert np.array_equal(load_pair(source, scale=1)[1], photo)


def test_a_16_bit_picture_is_rounded_to_8_bits(tmp_path):
    deep = (np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000).astype(np.uint16)
    source = Source("a", save(tmp_path / "a.png", deep))

    hr = load_pair(source, scale=2)[1]

    assert np.array_equal(hr[..., 0], np.floor(deep / 257 + 0.5).astype(np.uint8))


def test_a_picture_smaller_than_the_scale_is_refused(tmp_path, photo):
    source = Source("a", save(tmp_path / "a.png", photo[:3]))

    with pytest.raises(ShapeError, match="too small for scale 4"):
        load_pair(source, scale=4)


def test_a_damaged_picture_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(b"not a picture")

    with pytest.raises(ImageReadError):
        load_pair(Source("a", tmp_path / "a.png"), scale=2)


def test_the_hash_of_a_set_changes_with_names_and_bytes_but_not_with_places(tmp_path, photo):
    first = [Source("a", save(tmp_path / "1" / "a.png", photo))]
    moved = [Source("a", save(tmp_path / "2" / "a.png", photo))]
    renamed = [Source("b", save(tmp_path / "1" / "b.png", photo))]
    changed = [Source("a", save(tmp_path / "3" / "a.png", photo[::-1]))]

    assert hash_sources(first) == hash_sources(moved)
    assert len({hash_sources(sources) for sources in (first, renamed, changed)}) == 3


def test_lr_made_of_set5_is_the_lr_that_matlab_made(shared):
    bench = shared / "bench" / "Set5"
    for scale in (2, 3, 4):
        given = find_sources(bench / "HR", scale=scale, lr=bench / "LR_bicubic")
        made = find_sources(bench / "HR", scale=scale)
        assert len(given) == 5
        for source, other in zip(given, made, strict=True):
            assert np.array_equal(
                load_pair(source, scale=scale)[0], load_pair(other, scale=scale)[0]
            )
