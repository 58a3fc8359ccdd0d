import msgspec
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelift.errors import ConfigError, WeightsError
from pixelift.zoo import card as card_module
from pixelift.zoo.card import (
    METADATA_KEY,
    Card,
    Score,
    card_from_onnx,
    card_to_metadata,
    check_name,
    clean_name,
    parse_card,
    read_metadata,
    render_card,
)
from tests.fakes import make_card, model_bytes

varint = card_module._varint

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
numbers = st.floats(allow_nan=False, allow_infinity=False)
cards = st.builds(
    lambda **fields: msgspec.structs.replace(make_card(), **fields),
    scale=st.integers(1, 8),
    channels=st.sampled_from(["rgb", "y"]),
    radius=st.integers(0, 100),
    parameters=st.integers(0, 10**12),
    licence=text,
    architecture=text,
    recipe=text,
    training=text,
    scores=st.dictionaries(text, st.builds(Score, psnr_y=numbers, ssim_y=numbers), max_size=4),
)


@given(cards)
def test_a_card_survives_toml(card):
    assert parse_card(render_card(card)) == card


@given(cards)
def test_a_card_survives_the_metadata_of_a_network(card):
    expected = msgspec.structs.replace(card, sha256="", bytes=0)
    assert msgspec.json.decode(card_to_metadata(card), type=Card) == expected


def test_a_rendered_card_reads_like_one():
    lines = render_card(make_card(name="tiny", data=b"x")).splitlines()
    assert lines[:3] == ['name = "tiny"', "scale = 2", 'channels = "rgb"']
    assert lines[-2:] == ["[scores]", '"Set5" = { psnr_y = 30.5, ssim_y = 0.875 }']


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("scale = 2", 'scale = "2"', r"Expected `int`, got `str` - at `\$\.scale`"),
        ("scale = 2", "scale = 0", r"`int` >= 1 - at `\$\.scale`"),
        ("scale = 2\n", "", "missing required field `scale`"),
        ("scale = 2", "scale = 2\nscail = 3", "unknown field `scail`"),
        ('channels = "rgb"', 'channels = "cmyk"', r"'cmyk' - at `\$\.channels`"),
        ('name = "fake"', 'name = "../fake"', r"\$\.name"),
        ('dataset_sha256 = "', 'dataset_sha256 = "z', r"\$\.dataset_sha256"),
        ("psnr_y = 30.5", "psnr = 30.5", "scores"),
        ("[scores]", "[scores", "not valid"),
    ],
)
def test_a_wrong_card_is_refused_and_the_field_is_named(old, new, told):
    good = render_card(make_card())
    assert old in good
    with pytest.raises(WeightsError, match=told):
        parse_card(good.replace(old, new))


def test_key_and_planes_follow_from_the_fields():
    assert make_card(name="tiny", scale=3).key == "tiny_x3"
    assert make_card(channels=3).planes == 3
    assert make_card(channels=1).planes == 1


@given(st.dictionaries(text, st.text(st.characters(exclude_categories=["Cs"])), max_size=5))
def test_metadata_is_what_the_onnx_package_wrote(metadata):
    model = onnx.ModelProto(ir_version=8, producer_name="p", doc_string="d", model_version=2**60)
    model.graph.name = "g"
    model.opset_import.add(domain="", version=17)
    model.functions.add(name="f")
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=value)
    assert read_metadata(model.SerializeToString()) == metadata


def test_the_card_inside_a_network_is_read():
    data = model_bytes(name="tiny", scale=3)
    assert card_from_onnx(data) == make_card(name="tiny", scale=3)


def test_a_network_without_a_card_is_refused_with_what_to_do():
    with pytest.raises(WeightsError, match=r"holds no card.*pixelift export RUN -o FILE.onnx"):
        card_from_onnx(model_bytes(with_card=False))


def test_a_network_with_a_wrong_card_is_refused():
    model = onnx.load_from_string(model_bytes(with_card=False))
    model.metadata_props.add(key=METADATA_KEY, value='{"name": "x"}')
    with pytest.raises(WeightsError, match="card inside the network is not valid"):
        card_from_onnx(model.SerializeToString())


def test_a_large_file_of_zeros_is_refused_at_once(monkeypatch):
    walked = []
    monkeypatch.setattr(card_module, "_varint", lambda *_: walked.append(1) or varint(*_))
    with pytest.raises(WeightsError, match="no ONNX network"):
        read_metadata(bytes(10_000_000))
    assert len(walked) < 100_000


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n" * 50,
        b"\xff" * 50,
        b"PK\x03\x04 not a network",
        b"\x80" * 100,
        b"\x3a\xff\xff\xff\xff\x7f",
        b"\x08\x08",
        b"\x72\x02\x0a\xff\x3a\x00",
        b"\x72\x03\x0a\x01\xff\x3a\x00",
    ],
)
def test_what_is_no_network_is_refused(data):
    with pytest.raises(WeightsError, match="no ONNX network"):
        read_metadata(data)


def test_a_network_cut_off_anywhere_is_refused_or_has_no_card():
    data = model_bytes(width=4)
    for end in range(0, len(data), 7):
        with pytest.raises(WeightsError) as info:
            card_from_onnx(data[:end])
        assert "\n" not in str(info.value)


def refusal(read, data):
    """Give what the reader said against the bytes, or None where it took them."""
    try:
        read(data)
    except WeightsError as err:
        return str(err)
    return None


@given(st.binary(max_size=200))
def test_garbage_is_walked_to_its_end_without_another_error(data):
    assert "\n" not in (refusal(read_metadata, data) or "")


def test_a_network_with_a_wrong_byte_is_read_or_refused_in_one_line(rng):
    data = model_bytes(width=4)
    for at in rng.integers(0, len(data), 300):
        damaged = data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]
        assert "\n" not in (refusal(card_from_onnx, damaged) or "")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=130))
def test_what_is_left_of_any_name_is_one_that_a_card_can_hold(name):
    clean = clean_name(name)
    if not clean:
        with pytest.raises(ConfigError, match="as --name mine"):
            check_name(clean)
        return
    check_name(clean)
    assert clean_name(clean) == clean
    card = msgspec.structs.replace(make_card(), name=clean)
    assert parse_card(render_card(card)).name == clean
