import re
from xml.etree import ElementTree

import pytest

from pixelift.image.geometry import Size
from pixelift.image.xmp import MOST_BYTES, fitting_xmp

TIFF, EXIF = "http://ns.adobe.com/tiff/1.0/", "http://ns.adobe.com/exif/1.0/"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
SIZE = Size(60, 80)


def packet(attributes="", elements=""):
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Ä &gt; \'b\'">\n'
        f' <rdf:RDF xmlns:rdf="{RDF}">\n'
        f'  <rdf:Description rdf:about="" xmlns:tiff="{TIFF}" xmlns:exif="{EXIF}"\n'
        '    xmlns:dc="http://purl.org/dc/elements/1.1/"\n'
        '    xmlns:GCamera="http://ns.google.com/photos/1.0/camera/"\n'
        '    xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"\n'
        '    xmlns:xmp="http://ns.adobe.com/xap/1.0/"\n'
        '    xmlns:xmpNote="http://ns.adobe.com/xmp/note/"\n'
        '    xmlns:r="http://www.metadataworkinggroup.com/schemas/regions/"\n'
        f"    {attributes}>\n"
        "   <dc:title><rdf:Alt><rdf:li>Zu Hause &amp; draußen</rdf:li></rdf:Alt></dc:title>\n"
        f"   {elements}\n"
        "  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n"
        '<?xpacket end="w"?>'
    ).encode()


def properties(xmp):
    """All attributes and plain elements of a packet, as another parser finds them."""
    found = {}
    for element in ElementTree.fromstring(re.sub(rb"<\?xpacket[^>]*\?>", b"", xmp).strip()).iter():
        found |= element.attrib
        if element.text and element.text.strip():
            found[element.tag] = element.text
    return found


@pytest.mark.parametrize("quote", ['"', "'"])
def test_attributes_that_are_no_longer_true_are_corrected(quote):
    before = (
        'tiff:Orientation="6" tiff:ImageWidth="40" tiff:ImageLength="30" tiff:Make="M"\n'
        'exif:PixelXDimension = "40" exif:PixelYDimension="30"'
    )
    xmp = packet(before.replace('"', quote))
    fitting = fitting_xmp(xmp, SIZE)
    found = properties(fitting)
    assert found[f"{{{TIFF}}}Orientation"] == "1"
    assert (found[f"{{{TIFF}}}ImageWidth"], found[f"{{{TIFF}}}ImageLength"]) == ("80", "60")
    assert found[f"{{{EXIF}}}PixelXDimension"] == "80"
    assert found[f"{{{EXIF}}}PixelYDimension"] == "60"
    assert found[f"{{{TIFF}}}Make"] == "M"
    # Every other byte is as it was.
    assert re.sub(rb"(?<=[\"'])(80|60|1)(?=[\"'])", b"", fitting) == re.sub(
        rb"(?<=[\"'])(40|30|6)(?=[\"'])", b"", xmp
    )


def test_elements_that_are_no_longer_true_are_corrected():
    xmp = packet(
        elements="<tiff:Orientation>6</tiff:Orientation><tiff:ImageWidth/>"
        "<exif:PixelXDimension rdf:parseType='Resource'><rdf:value>40</rdf:value>"
        "</exif:PixelXDimension>"
    )
    found = properties(fitting_xmp(xmp, SIZE))
    assert found[f"{{{TIFF}}}Orientation"] == "1"
    assert found[f"{{{TIFF}}}ImageWidth"] == "80"
    assert found[f"{{{EXIF}}}PixelXDimension"] == "80"
    assert "Zu Hause & draußen" in found.values()


def test_a_vocabulary_is_known_by_its_address_and_not_by_its_prefix():
    xmp = f'<a xmlns:q="{TIFF}" xmlns:tiff="urn:else" q:Orientation="6" tiff:Orientation="6"/>'
    assert (
        fitting_xmp(xmp.encode(), SIZE)
        == xmp.replace('q:Orientation="6"', 'q:Orientation="1"').encode()
    )
    plain = f'<Orientation xmlns="{TIFF}" Orientation="6">6</Orientation>'
    assert (
        fitting_xmp(plain.encode(), SIZE) == f'<Orientation xmlns="{TIFF}">1</Orientation>'.encode()
    )


def test_a_prefix_that_was_explained_before_is_not_explained_again():
    # Many programs look for "<tiff:Orientation>" as a text.
    xmp = packet(elements="<tiff:Orientation>6</tiff:Orientation>")
    assert b"<tiff:Orientation>1</tiff:Orientation>" in fitting_xmp(xmp, SIZE)
    own = f'<a><t:Orientation xmlns:t="{TIFF}">6</t:Orientation></a>'
    assert fitting_xmp(own.encode(), SIZE) == own.replace("6<", "1<").encode()


def test_what_leads_to_parts_that_do_not_come_along_is_left_out():
    xmp = packet(
        'GCamera:MotionPhoto="1" GCamera:MicroVideoOffset="12345" hdrgm:Version="1.0"'
        ' xmpNote:HasExtendedXMP="ABC" GCamera:Other="7"',
        "<xmp:Thumbnails><rdf:Alt><rdf:li tiff:Orientation='6'>abc</rdf:li></rdf:Alt>"
        "</xmp:Thumbnails><hdrgm:GainMapMax>1</hdrgm:GainMapMax>",
    )
    fitting = fitting_xmp(xmp, SIZE)
    for gone in (b":MotionPhoto", b"MicroVideo", b"hdrgm:V", b":HasExtended", b"Thumb", b":Gain"):
        assert gone not in fitting
    assert b'GCamera:Other="7"' in fitting
    assert b"abc" not in fitting
    assert properties(fitting)


def test_where_faces_are_goes_only_when_the_picture_was_turned():
    xmp = packet(elements="<r:Regions><r:RegionList>face</r:RegionList></r:Regions>")
    assert fitting_xmp(xmp, SIZE) == xmp
    assert b"face" not in fitting_xmp(xmp, SIZE, was_turned=True)


def test_what_counts_in_pixels_goes_only_when_there_are_other_pixels():
    xmp = packet('exif:PixelXDimension="80" exif:SubjectLocation="3" ')
    assert fitting_xmp(xmp, SIZE) == xmp
    assert b"SubjectLocation" not in fitting_xmp(xmp, Size(6, 8))


def test_a_packet_that_is_true_stays_to_the_last_byte():
    xmp = packet('tiff:Orientation="1"')
    assert fitting_xmp(xmp, SIZE) == xmp
    assert fitting_xmp(xmp + b"\0\0", SIZE) == xmp
    corrected = fitting_xmp(packet('tiff:Orientation="8"'), SIZE)
    assert fitting_xmp(corrected, SIZE) == corrected


@pytest.mark.parametrize(
    "xmp",
    [
        b"",
        b"\0\0",
        b"no xml",
        b"<a>",
        b"<a/><b/>",
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><a>&c;</a>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        "<a/>".encode("utf-16"),
        b"<a \xff='1'/>",
        b"<a>" + bytes(3) + b"</a>",
    ],
)
def test_what_is_no_sound_packet_is_left_out(xmp):
    assert fitting_xmp(xmp, SIZE) is None


def test_a_packet_that_is_too_long_is_left_out():
    assert fitting_xmp(b"<a>" + b" " * MOST_BYTES + b"</a>", SIZE) is None


def test_every_cut_and_every_changed_byte_is_survived():
    xmp = packet('tiff:Orientation="6" hdrgm:Version="1"', "<tiff:ImageWidth>4</tiff:ImageWidth>")
    for at in range(len(xmp)):
        fitting_xmp(xmp[:at], SIZE)
        for new in b"<>\"'&x":
            fitting = fitting_xmp(xmp[:at] + bytes([new]) + xmp[at + 1 :], SIZE)
            assert fitting is None or properties(fitting)
