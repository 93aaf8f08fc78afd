"""How does a picture say that a machine made it? IPTC marking in XMP, and the recipe for making it again.

Every picture that leaves is a PNG with `DigitalSourceType = trainedAlgorithmicMedia` (where part of it may be a real
photograph, `compositeWithTrainedAlgorithmicMedia`), which search engines and the EU AI Act's Article 50 look for, and
the AI properties of the IPTC Photo Metadata Standard 2025.1. The mark is a statement, not a seal: whoever edits the
file can change or remove it.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import html
import io
import json
import re
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bespoke.errors import UserError

_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
TRAINED_ALGORITHMIC_MEDIA = f"{_SOURCE_TYPES}trainedAlgorithmicMedia"
COMPOSITE = f"{_SOURCE_TYPES}compositeWithTrainedAlgorithmicMedia"

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_OWN = "urn:bespoke:provenance:1#"
_RECIPE = ("prompt", "seed", "balance", "model", "software")
_DC = "http://purl.org/dc/elements/1.1/"

# XMP in PNG must be called read-only (end="r"): the chunk carries a checksum.
_PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
    f'<rdf:RDF xmlns:rdf="{_RDF}">\n'
    f'<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="{_IPTC}"'
    f' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:bespoke="{_OWN}">\n'
    "<Iptc4xmpExt:DigitalSourceType>{source_type}</Iptc4xmpExt:DigitalSourceType>\n"
    "<Iptc4xmpExt:AISystemUsed>{model}</Iptc4xmpExt:AISystemUsed>\n"
    "<Iptc4xmpExt:AISystemVersionUsed>{software}</Iptc4xmpExt:AISystemVersionUsed>\n"
    "<Iptc4xmpExt:AIPromptInformation>{prompt}</Iptc4xmpExt:AIPromptInformation>\n"
    "<xmp:CreatorTool>{software}</xmp:CreatorTool>\n"
    "<bespoke:recipe>{recipe}</bespoke:recipe>\n"
    "{more}"
    "</rdf:Description>\n</rdf:RDF>\n</x:xmpmeta>\n"
    '<?xpacket end="r"?>'
)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def mark(
    image: Image.Image,
    path: Path,
    *,
    prompt: str,
    seed: int,
    balance: float,
    model: str,
    source_type: str = TRAINED_ALGORITHMIC_MEDIA,
    chain: Mapping[str, Any] | None = None,
    terms: str = "",
) -> None:
    """Saves `image` as a PNG at `path`, marked as made by a trained algorithm, with how to make it again.

    `prompt` may be any text; `model` names the model for whoever reads it, a run's name and hash say. `source_type`:
    COMPOSITE where part of it may be real, see `type_of_edit`. `chain`: from what the picture came, as JSON can hold
    it; a hash of its pixels goes with it. `terms`: what must be said with it.
    The file is whole or not there. Raises UserError if the disk refuses.
    """
    recipe = {"prompt": prompt, "seed": seed, "balance": balance, "model": model, "software": _software()}
    # XML has no way to write control characters, so the exact text travels as JSON in ASCII.
    exact = json.dumps(recipe, allow_nan=False, separators=(",", ":"))
    texts = {"prompt": prompt, "model": model, "software": recipe["software"], "recipe": exact}
    texts |= {"source_type": source_type}
    more = ""
    if chain is not None:
        traced = json.dumps({**chain, "pixels": _pixels(image)}, allow_nan=False, separators=(",", ":"))
        more += f"<bespoke:chain>{_xml(traced)}</bespoke:chain>\n"
    if terms:
        line = f'<rdf:Alt><rdf:li xml:lang="x-default">{_xml(terms)}</rdf:li></rdf:Alt>'
        more += f'<dc:rights xmlns:dc="{_DC}">{line}</dc:rights>\n'
    chunks = PngInfo()
    filled = {name: _xml(str(text)) for name, text in texts.items()}
    chunks.add_itxt("XML:com.adobe.xmp", _PACKET.format_map(filled | {"more": more}))
    encoded = io.BytesIO()
    image.save(encoded, format="PNG", pnginfo=chunks)
    partial = path.with_name(f".{path.name}.part")
    try:
        partial.write_bytes(encoded.getbuffer())
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        reason = f"could not be saved ({error.strerror})"
        raise UserError(f"{path}: {reason}; free disk space or choose another --out") from error


def type_of_edit(original: Path) -> str:
    """The digital source type of what a model makes of a picture file by changing it.

    A composite, unless the file says of itself that all of it was generated: what says nothing may be a photograph.
    """
    with contextlib.suppress(UserError):
        if read_mark(original).get("digital_source_type") == TRAINED_ALGORITHMIC_MEDIA:
            return TRAINED_ALGORITHMIC_MEDIA
    return COMPOSITE


def is_unedited(path: Path) -> bool:
    """Whether the pixels are those that the file's chain was written for; False where it has none.

    Raises UserError if `path` is not a picture.
    """
    expected = read_mark(path).get("chain", {}).get("pixels")
    try:
        with Image.open(path, formats=("PNG", "JPEG", "WEBP")) as image:
            return bool(expected) and _pixels(image) == expected
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"{path}: not a readable PNG, JPEG or WEBP picture; give one of these") from error


def _pixels(image: Image.Image) -> str:
    """A hash of size and colours, whatever the file around them."""
    shown = image.convert("RGB")
    return hashlib.sha256(f"{shown.width}x{shown.height} ".encode("ascii") + shown.tobytes()).hexdigest()


def read_mark(path: Path) -> dict[str, Any]:
    """What a PNG, JPEG or WEBP file says of its making; empty if it carries no mark. Pixels are not decoded.

    `digital_source_type` (a URI; whether any program says that the picture is generated) and, where Bespoke made it,
    `prompt`, `seed`, `balance`, `model`, `software`; in what the studio exports, `chain`. Raises UserError if `path`
    is not such a file.
    """
    try:
        with Image.open(path, formats=("PNG", "JPEG", "WEBP")) as image:
            packet = image.info.get("xmp", b"")
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"{path}: not a readable PNG, JPEG or WEBP picture; give one of these") from error
    properties = _properties(packet.decode("utf-8", errors="replace"))
    found: dict[str, Any] = {}
    if source := properties.get(f"{{{_IPTC}}}DigitalSourceType"):
        found["digital_source_type"] = source
    try:
        recipe = json.loads(properties.get(f"{{{_OWN}}}recipe", "{}"))
    except (ValueError, RecursionError):
        return found
    if isinstance(recipe, dict):
        found |= {name: recipe[name] for name in _RECIPE if name in recipe}
    with contextlib.suppress(ValueError, RecursionError):
        chain = json.loads(properties.get(f"{{{_OWN}}}chain", "null"))
        found |= {"chain": chain} if isinstance(chain, dict) else {}
    return found


def _properties(packet: str) -> dict[str, str]:
    """The plain properties of an XMP packet, whichever of RDF's three spellings another program left them in."""
    packet = packet.strip("\ufeff\0 \t\r\n")
    # XMP has no document type; one in a stranger's file is there to define entities that explode.
    if not packet or "<!DOCTYPE" in packet:
        return {}
    try:
        root = ElementTree.fromstring(packet)
    except ElementTree.ParseError:
        return {}
    properties: dict[str, str] = {}
    for description in root.iter(f"{{{_RDF}}}Description"):
        properties |= description.attrib
        for child in description:
            properties[child.tag] = child.get(f"{{{_RDF}}}resource") or (child.text or "").strip()
    return properties


def _xml(text: str) -> str:
    """Text as XML content. What XML cannot hold becomes U+FFFD; a bare carriage return would be read as a newline."""
    return html.escape(_NOT_XML.sub("\ufffd", text), quote=False).replace("\r", "&#13;")


@functools.cache
def _software() -> str:
    try:
        return f"Bespoke {metadata.version('bespoke')}"
    except metadata.PackageNotFoundError:  # run from a checkout
        return "Bespoke"
