from __future__ import annotations

import io
import struct
import time
import zlib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bespoke.errors import UserError
from bespoke.provenance import COMPOSITE, TRAINED_ALGORITHMIC_MEDIA, mark, read_mark, type_of_edit

IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"


def picture(size: int = 64) -> Image.Image:
    return Image.effect_noise((size, size), 50).convert("RGB")


def marked(path: Path, prompt: str = "a red flower", **changes: Any) -> Path:
    options = {"seed": 7, "balance": 0.1 + 0.2, "model": "flowers@3f2a"} | changes
    mark(picture(), path, prompt=prompt, **options)
    return path


def chunks(path: Path) -> list[tuple[bytes, bytes]]:
    """The chunks of a PNG as its specification has them, checksums checked."""
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    found, at = [], 8
    while at < len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        kind, data = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        assert struct.unpack(">I", content[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + data)
        found.append((kind, data))
        at += 12 + length
    return found


def xmp(path: Path) -> ElementTree.Element:
    (data,) = [data for kind, data in chunks(path) if kind == b"iTXt"]
    header = b"XML:com.adobe.xmp\0\0\0\0\0"  # keyword, not compressed, no language, no translation
    assert data.startswith(header)
    return ElementTree.fromstring(data.removeprefix(header).decode().strip("\ufeff"))


def test_the_mark_is_where_and_what_the_standards_say(tmp_path: Path) -> None:
    path = marked(tmp_path / "a.png")
    kinds = [kind for kind, _ in chunks(path)]
    assert kinds.index(b"iTXt") < kinds.index(b"IDAT")
    packet = next(data for kind, data in chunks(path) if kind == b"iTXt").partition(b"\0\0\0\0\0")[2].decode()
    assert packet.startswith('<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>')
    assert packet.endswith('<?xpacket end="r"?>')
    root = xmp(path)
    assert root.tag == "{adobe:ns:meta/}xmpmeta"
    texts = {element.tag: element.text for element in root.iter()}
    assert TRAINED_ALGORITHMIC_MEDIA == "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    assert texts[f"{IPTC}DigitalSourceType"] == TRAINED_ALGORITHMIC_MEDIA
    assert texts[f"{IPTC}AIPromptInformation"] == "a red flower"
    assert texts[f"{IPTC}AISystemUsed"] == "flowers@3f2a"
    assert str(texts[f"{IPTC}AISystemVersionUsed"]).startswith("Bespoke")
    assert str(texts["{http://ns.adobe.com/xap/1.0/}CreatorTool"]).startswith("Bespoke")


def test_what_was_marked_is_read_back_exactly_and_pixels_are_untouched(tmp_path: Path) -> None:
    image = picture()
    mark(image, tmp_path / "a.png", prompt="x", seed=2**63, balance=1 / 3, model="m")
    found = read_mark(tmp_path / "a.png")
    assert found.pop("software").startswith("Bespoke")
    assert found == {
        "digital_source_type": TRAINED_ALGORITHMIC_MEDIA,
        "prompt": "x",
        "seed": 2**63,
        "balance": 1 / 3,
        "model": "m",
    }
    with Image.open(tmp_path / "a.png") as saved:
        assert saved.tobytes() == image.tobytes()
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


AWKWARD = {
    "Japanese": "\u9ec4\u8272\u3044\u82b1\u3001\u5c16\u3063\u305f\u82b1\u3073\u3089",
    "emoji": "\U0001f33b\U0001f469\u200d\U0001f33e",
    "markup": "</rdf:RDF>&lt;<!-- ]]> \"quoted\" 'too' &amp; {braces} %s",
    "control characters": "".join(map(chr, range(32))) + "\x7f\x85\u2028",
    "line ends": "a\r\nb\rc\nd\t  e  ",
    "not characters": "\ufffe\uffff\ud83d lone \udc00",
    "empty": "",
    "long": "petal " * 20_000,
}


@pytest.mark.parametrize("prompt", AWKWARD.values(), ids=AWKWARD)
def test_any_text_comes_back_exactly(tmp_path: Path, prompt: str) -> None:
    found = read_mark(marked(tmp_path / "a.png", prompt, model=prompt))
    assert (found["prompt"], found["model"]) == (prompt, prompt)
    assert found["digital_source_type"] == TRAINED_ALGORITHMIC_MEDIA


def test_other_programs_see_the_text_with_what_xml_cannot_hold_replaced(tmp_path: Path) -> None:
    def seen(prompt: str) -> str | None:
        return xmp(marked(tmp_path / "a.png", prompt)).findtext(f".//{IPTC}AIPromptInformation")

    for name in ("Japanese", "emoji", "markup", "line ends"):
        assert seen(AWKWARD[name]) == AWKWARD[name]
    assert seen("bell\x07, half \ud83d") == "bell\ufffd, half \ufffd"


@settings(max_examples=100, deadline=None, database=None)
@given(st.text(st.characters(), max_size=50), st.integers(), st.floats(0, 1))  # with surrogates and controls
def test_every_recipe_comes_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, prompt: str, seed: int, balance: float
) -> None:
    path = tmp_path_factory.getbasetemp() / "recipe.png"
    mark(Image.new("RGB", (1, 1)), path, prompt=prompt, seed=seed, balance=balance, model="m")
    found = read_mark(path)
    assert (found["prompt"], found["seed"], found["balance"]) == (prompt, seed, balance)


def with_xmp(path: Path, packet: str | bytes) -> Path:
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", packet)
    picture(8).save(path, pnginfo=info)
    return path


DESCRIPTION = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<r:Description xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" {}</r:Description></r:RDF></x:xmpmeta>'
)
SPELLINGS = {
    "attribute": 'e:DigitalSourceType="http://some/type">',
    "element": "><e:DigitalSourceType> http://some/type </e:DigitalSourceType>",
    "resource": '><e:DigitalSourceType r:resource="http://some/type"/>',
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_marks_of_other_programs_are_read_however_they_are_spelt(tmp_path: Path, spelling: str, suffix: str) -> None:
    packet = DESCRIPTION.format(spelling)
    path = tmp_path / f"a.{suffix}"
    if suffix == "png":
        with_xmp(path, packet)
    else:
        picture(8).save(path, xmp=packet.encode())
    assert read_mark(path) == {"digital_source_type": "http://some/type"}


STRANGE = {
    "nothing": "",
    "not XML": "<x:xmpmeta",
    "not UTF-8": b"\xff\xfe<\0a\0/\0>\0",
    "exploding entities": '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]>'
    + DESCRIPTION.format("><e:DigitalSourceType>&c;</e:DigitalSourceType>"),
    "recipe that is a list": DESCRIPTION.format('xmlns:o="urn:bespoke:provenance:1#" o:recipe="[1]">'),
    "recipe that is no JSON": DESCRIPTION.format('xmlns:o="urn:bespoke:provenance:1#" o:recipe="{">'),
    "endless nesting": DESCRIPTION.format('xmlns:o="urn:bespoke:provenance:1#" o:recipe="' + "[" * 100_000 + '">'),
    "keys of its own": DESCRIPTION.format(
        'xmlns:o="urn:bespoke:provenance:1#" o:recipe="{&quot;digital_source_type&quot;:1}">'
    ),
}


def test_an_edit_is_generated_only_where_all_of_the_original_was(tmp_path: Path) -> None:
    assert type_of_edit(marked(tmp_path / "drawn.png")) == TRAINED_ALGORITHMIC_MEDIA
    photo, gif = tmp_path / "photo.png", tmp_path / "photo.gif"
    picture(8).save(photo)
    picture(8).save(gif)
    edited = marked(tmp_path / "edited.png", source_type=type_of_edit(photo))
    assert COMPOSITE == "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
    assert read_mark(edited)["digital_source_type"] == COMPOSITE
    assert xmp(edited).findtext(f".//{IPTC}DigitalSourceType") == COMPOSITE
    assert [type_of_edit(path) for path in (photo, gif, edited)] == [COMPOSITE] * 3


@pytest.mark.parametrize("packet", STRANGE.values(), ids=STRANGE)
def test_strange_metadata_is_no_mark_and_no_crash(tmp_path: Path, packet: str | bytes) -> None:
    assert read_mark(with_xmp(tmp_path / "a.png", packet)) == {}


def test_a_picture_without_metadata_has_no_mark(tmp_path: Path) -> None:
    picture().save(tmp_path / "a.png")
    assert read_mark(tmp_path / "a.png") == {}


def test_what_is_no_picture_is_a_user_error(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no picture")
    gif = io.BytesIO()
    picture().save(gif, format="GIF")
    (tmp_path / "b.png").write_bytes(gif.getvalue())
    for name in ("a.png", "b.png", "missing.png"):
        with pytest.raises(UserError, match=f"{name}: not a readable PNG, JPEG or WEBP picture"):
            read_mark(tmp_path / name)


def test_a_picture_that_cannot_be_saved_is_a_user_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken.png").mkdir()
    for path in (tmp_path / "missing" / "a.png", tmp_path / "taken.png"):
        with pytest.raises(UserError, match=r"could not be saved \(.+\); free disk space or choose another --out"):
            marked(path)
    assert [path.name for path in tmp_path.iterdir()] == ["taken.png"]


def test_marking_a_64_pixel_picture_costs_under_two_milliseconds(tmp_path: Path) -> None:
    image = picture()
    seconds = []
    for seed in range(20):
        begin = time.process_time()
        mark(image, tmp_path / "a.png", prompt="a red flower", seed=seed, balance=0.5, model="m")
        seconds.append(time.process_time() - begin)
    assert min(seconds) < 0.002
