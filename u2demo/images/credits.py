"""XMP, IPTC and PNG's texts -> who made a photo, of what and when, where EXIF does not say so.

XMP: ISO 16684-1 and its part 2, for the properties. IPTC: the Information Interchange Model 4.2.
"""

import re
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from xml.etree import ElementTree

from u2demo.formats.exif import ARTIST, COPYRIGHT, DESCRIPTION, TAKEN

Credits = Mapping[int, str]  # by the tag of EXIF

_LONGEST_XMP = 500_000  # bytes
_LONGEST_TEXT = 1000  # characters
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_XMP_PROPERTIES = {  # the first that is there counts
    COPYRIGHT: [f"{_DC}rights"],
    ARTIST: [f"{_DC}creator"],
    DESCRIPTION: [f"{_DC}description"],
    TAKEN: [
        "{http://ns.adobe.com/exif/1.0/}DateTimeOriginal",
        "{http://ns.adobe.com/photoshop/1.0/}DateCreated",
        "{http://ns.adobe.com/xap/1.0/}CreateDate",
    ],
}
_IPTC_DATASETS = {COPYRIGHT: 116, ARTIST: 80, DESCRIPTION: 120}  # of record 2
_IPTC_DATE, _IPTC_TIME = 55, 60
_PNG_KEYWORDS = {
    COPYRIGHT: "Copyright", ARTIST: "Author", DESCRIPTION: "Description", TAKEN: "Creation Time",
}  # fmt: skip
_DATE = re.compile(r"(\d{4})[-:]?(\d\d)[-:]?(\d\d)(?:[T ]?(\d\d):?(\d\d):?(\d\d)?)?", re.ASCII)


def credits_of_xmp(packet: bytes) -> Credits:
    """Return what an XMP packet says; nothing if it is damaged, or defines entities."""
    if len(packet) > _LONGEST_XMP or b"<!DOCTYPE" in packet or b"<!ENTITY" in packet:
        return {}
    try:
        root = ElementTree.fromstring(packet.strip(b"\0 \r\n\t"))
    except (ElementTree.ParseError, ValueError, LookupError):
        return {}
    said = dict(_properties(root))
    texts = {
        tag: next((said[name] for name in names if name in said), "")
        for tag, names in _XMP_PROPERTIES.items()
    }
    return _credits(texts)


def credits_of_iptc(data: bytes) -> Credits:
    """Return what IPTC's datasets say."""
    said: dict[int, list[str]] = {}
    place = 0
    while data[place : place + 1] == b"\x1c" and place + 5 <= len(data):
        record, number = data[place + 1 : place + 3]
        size = int.from_bytes(data[place + 3 : place + 5], "big")
        if record == 2:
            said.setdefault(number, []).append(_decoded(data[place + 5 : place + 5 + size]))
        place += 5 + size
    texts = {tag: "; ".join(said.get(number, [])) for tag, number in _IPTC_DATASETS.items()}
    texts[TAKEN] = "".join(said.get(_IPTC_DATE, [])[:1] + said.get(_IPTC_TIME, [])[:1])
    return _credits(texts)


def credits_of_texts(info: Mapping[str, object]) -> Credits:
    """Return what a PNG's texts say, by their keywords."""
    said = {tag: info.get(keyword, "") for tag, keyword in _PNG_KEYWORDS.items()}
    return _credits({tag: text for tag, text in said.items() if isinstance(text, str)})


def _credits(texts: Mapping[int, str]) -> Credits:
    clean = {tag: text.replace("\0", "").strip()[:_LONGEST_TEXT] for tag, text in texts.items()}
    if clean.get(TAKEN):
        clean[TAKEN] = _exif_date(clean[TAKEN])
    return {tag: text for tag, text in clean.items() if text}


def _exif_date(text: str) -> str:
    """Return a date as EXIF writes it, with blanks for what is unknown."""
    match = _DATE.match(text)
    if not match:
        return _from_mail_date(text)
    year, month, day, *time = match.groups()
    hour, minute, second = (part or "  " for part in time)
    return f"{year}:{month}:{day} {hour}:{minute}:{second}"


def _from_mail_date(text: str) -> str:
    """Return a date written as in e-mail (RFC 1123), which PNG recommends, as EXIF writes it."""
    try:
        return f"{parsedate_to_datetime(text):%Y:%m:%d %H:%M:%S}"
    except (TypeError, ValueError):
        return ""


def _properties(root: ElementTree.Element) -> Iterator[tuple[str, str]]:
    """Yield name and text of each property, written as attributes or as elements."""
    rdf = root if root.tag == f"{_RDF}RDF" else root.find(f"{_RDF}RDF")
    for description in [] if rdf is None else rdf.findall(f"{_RDF}Description"):
        yield from description.attrib.items()
        for element in description:
            items = [item.text or "" for item in element.findall(f"*/{_RDF}li")]
            is_choice = element.find(f"{_RDF}Alt") is not None  # of languages; the default is first
            texts = items[:1] if is_choice else items
            yield element.tag, "; ".join(texts) or element.text or ""


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
