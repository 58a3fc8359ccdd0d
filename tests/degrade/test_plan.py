import numpy as np
import pytest

from pixelift.degrade.draw import PRESETS, draw_plan
from pixelift.degrade.plan import (
    Compress,
    Noise,
    Plan,
    Resize,
    clean_plan,
    decode_plan,
    encode_plan,
)
from pixelift.errors import ConfigError


@pytest.mark.parametrize("preset", PRESETS)
def test_a_plan_is_the_same_after_json_and_back(preset):
    for seed in range(30):
        plan = draw_plan(PRESETS[preset], scale=3, rng=np.random.default_rng(seed))
        text = encode_plan(plan)
        assert decode_plan(text) == plan
        assert encode_plan(decode_plan(text)) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not a plan of a degradation"),
        (b"\xff\xfe", "not a plan of a degradation"),
        ('{"scale":2,"steps":[],"more":1}', "unknown field `more`"),
        ('{"scale":2,"steps":[{"step":"melt"}]}', "Invalid value 'melt'"),
        (
            '{"scale":1,"steps":[{"step":"noise","kind":"gaussian","sigma_255":5,'
            '"is_grey":true,"is_chroma":true,"seed":1}]}',
            "noise is both grey and chroma",
        ),
        (
            '{"scale":1,"steps":[{"step":"sharpen","sigma_px":0.8,"amount":7}]}',
            r"`float` <= 2.0 - at `\$.steps\[0\].amount`",
        ),
        ('{"scale":2,"steps":[]}', "arrive at 1 HR pixels per pixel, the scale is 2"),
        (
            '{"scale":1,"steps":[{"step":"noise","kind":"gaussian","sigma_255":1e9,'
            '"is_grey":true,"seed":1}]}',
            r"`float` <= 128.0 - at `\$.steps\[0\].sigma_255`",
        ),
        (
            '{"scale":2,"steps":[{"step":"resize","hr_per_px":1e-9,"kernel":"cubic"}]}',
            "hr_per_px",
        ),
    ],
)
def test_what_is_no_plan_is_refused_in_one_line(text, message):
    with pytest.raises(ConfigError, match=message) as caught:
        decode_plan(text)
    assert "\n" not in str(caught.value)


def test_only_plain_bicubic_shrinking_is_clean():
    assert clean_plan(4).is_clean
    resize = Resize(hr_per_px=4.0, kernel="cubic")
    noise = Noise(kind="gaussian", sigma_255=1.0, is_grey=True, seed=0)
    assert not Plan(scale=4, steps=(resize, noise)).is_clean
    assert not Plan(scale=4, steps=(Resize(hr_per_px=4.0, kernel="area"),)).is_clean
    assert not Plan(scale=4, steps=(resize, Compress(format="jpeg", quality=90))).is_clean


def test_the_last_resize_must_arrive_at_the_scale():
    on_the_way = Resize(hr_per_px=3.0, kernel="area")
    Plan(scale=4, steps=(on_the_way, Resize(hr_per_px=4.0, kernel="cubic")))
    with pytest.raises(ValueError, match="arrive at 3 HR pixels per pixel, the scale is 4"):
        Plan(scale=4, steps=(on_the_way,))
