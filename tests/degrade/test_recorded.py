import numpy as np
import pytest

from pixelift.degrade.plan import clean_plan
from pixelift.degrade.recorded import Made, Record, hash_pixels, read_record, write_record
from pixelift.errors import ConfigError

MADE = Made(plan=clean_plan(4), hr_sha256="a", lr_sha256="b")


def test_a_record_is_the_same_after_writing_and_reading(tmp_path):
    record = Record(scale=4, drawn="photo, seed 1", pictures={"a/ü.png": MADE})
    write_record(tmp_path / "plans.json", record)
    assert read_record(tmp_path / "plans.json") == record
    assert [p.name for p in tmp_path.iterdir()] == ["plans.json"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no record of plans"),
        ("[]", "is no record of plans"),
        ('{"scale":4,"drawn":"x","pictures":{},"version":9}', "pixelift-plans 9, not"),
        (
            '{"scale":2,"drawn":"x","pictures":{"a":{"plan":{"scale":4,"steps":[{"step":"resize",'
            '"hr_per_px":4,"kernel":"cubic"}]},"hr_sha256":"","lr_sha256":""}}}',
            "the plan of a is of scale 4",
        ),
    ],
)
def test_what_is_no_record_is_refused(tmp_path, text, message):
    (tmp_path / "plans.json").write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_record(tmp_path / "plans.json")


def test_a_missing_record_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot read plans from"):
        read_record(tmp_path / "plans.json")


def test_the_hash_is_that_of_size_and_pixels_alone(rng):
    image = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    assert hash_pixels(image) == hash_pixels(np.asfortranarray(image))
    assert hash_pixels(image) != hash_pixels(image.reshape(8, 6, 3))
