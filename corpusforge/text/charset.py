"""Which encoding a page is in, and which evidence decided.

In order: byte order mark, HTTP header, ``<meta>`` or XML declaration in the first 4 kB (a later one if there is none),
a check whether what was declared can be true, and last chardet on the bytes without their declarations. Declarations
are believed as long as the bytes allow it: valid UTF-8 is UTF-8 whatever was declared, and a legacy encoding gives way
where another one reads much more like text.
"""

import re
from dataclasses import dataclass, replace
from functools import partial

import chardet

from corpusforge.text.encodings import BY_NAME, Encoding, encoding_of
from corpusforge.text.mojibake import WAYS, bytes_of, is_misread, may_be_misread, read_back, suspect
from corpusforge.text.reading import (
    HALF_WIDTH_RUN,
    READS_WELL,
    UTF_8,
    Reading,
    bad_allowed,
    is_utf8,
    may_be,
    read,
    sample_of,
)

HEAD_BYTES = 4096
LATE_BYTES = 1 << 17
"""Bytes in which a declaration is looked for where the head has none."""
GUESS_BYTES = 200_000
"""Bytes that chardet examines (its own default)."""
SURE = 0.9
"""Confidence from which chardet is believed though its answer is not like any text here."""
OTHER_ANSWERS = 6
"""So many answers of chardet are tried where the first does not read like text."""
CLEARLY_BETTER = 200
"""Permille of frequent characters by which another encoding must read better to overrule a declaration."""
MOSTLY_RIGHT = 10
"""Non-ASCII characters for each bad place from which damaged UTF-8 is UTF-8, however short the text."""
FEW_CHARACTERS = 8
"""So few non-ASCII characters prove nothing."""

META = re.compile(rb"<meta\b[^<>]{0,512}?\bcharset\s*=\s*(?:[\"']|&quot;)*\s*([\w.:+-]{2,40})", re.IGNORECASE)
XML = re.compile(rb"\s*<\?xml\b[^>]*?\bencoding\s*=\s*[\"']\s*([\w.:+-]{2,40})")
LABEL = re.compile(rb"(\b(?:charset|encoding)\s{0,8}=[\s\"']{0,8})[\w.:+-]{2,40}", re.IGNORECASE)
COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
FIRST_HIGH = re.compile(rb"[\x80-\xff]")
HIGH = bytes(range(0x80, 0x100))
CONTROLS = bytes(byte for byte in range(0x20) if byte not in b"\t\n\r\f\x1b")
JAPANESE_ESCAPE = re.compile(rb"\x1b(?:\$[@B]|\(I|\$\(D)")
KOREAN_ESCAPE = b"\x1b$)C"

MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\0\0", "utf-32le"),
    (b"\0\0\xfe\xff", "utf-32be"),
    (b"\xff\xfe", "utf-16le"),
    (b"\xfe\xff", "utf-16be"),
)
WESTERN = BY_NAME["windows-1252"]
MULTIBYTE = tuple(BY_NAME[name] for name in ("shift_jis", "euc-jp", "gb18030", "big5", "euc-kr"))


@dataclass(frozen=True)
class Decision:
    """The encoding, the evidence that decided, the text as UTF-8, whether to doubt it all, how sure it is.

    ``by`` is ``bom``, ``http``, ``meta``, ``corrected`` (other than declared), ``statistical`` (nothing was declared),
    ``utf-8`` (valid UTF-8 that nobody declared) or ``repaired`` (mojibake read back). ``score``: 1 where what decided
    cannot be otherwise or what is declared reads well, chardet's confidence where it decided, 0.5 for a declaration
    that nothing confirms and for UTF-8 that is much damaged; at most 0.9 where U+FFFD stands for bytes or kana are
    half-width in long runs; at most 0.1 where it is to be doubted. In hundredths.
    """

    charset: str
    by: str
    utf8: bytes
    doubtful: bool = False
    score: float = 1.0

    @property
    def text(self) -> str:
        return self.utf8.decode()


Declared = list[tuple[Encoding, str]]


def decide(payload: bytes, http_label: str | None) -> Decision:
    """Decode a page. ``http_label`` is the charset parameter of its Content-Type."""
    for mark, name in MARKS:
        if payload.startswith(mark):
            return _marked(payload[len(mark) :], BY_NAME[name])
    declared = _declared(payload, http_label)
    if payload.isascii():
        return _seven_bit(payload, declared) or _wide(payload, declared) or _utf8(payload, declared)
    if not is_utf8(payload):
        return _seven_bit(payload, declared) or _wide(payload, declared) or _legacy(payload, declared)
    return _short(payload, declared) or _utf8(payload, declared)


def _marked(payload: bytes, encoding: Encoding) -> Decision:
    reading = read(encoding, payload)
    if encoding is UTF_8 and not reading.bad:
        return Decision(encoding.name, "bom", payload)
    return _decision(reading, "bom", 1.0, reading.bad > bad_allowed(payload, reading.characters))


def _declared(payload: bytes, http_label: str | None) -> Declared:
    """What HTTP and the page declare. UTF-16 in markup that ASCII can read means UTF-8 (WHATWG)."""
    found: Declared = []
    if (by_http := encoding_of(http_label)) is not None:
        found.append((by_http, "http"))
    head = payload[:HEAD_BYTES]
    plain = COMMENT.sub(b"", head) if b"<!--" in head else head
    label = META.search(plain) or XML.match(plain) or META.search(payload, HEAD_BYTES, LATE_BYTES)
    by_meta = None if label is None else encoding_of(label[1].decode())
    if by_meta is not None:
        found.append((UTF_8 if by_meta.family == "wide" else by_meta, "meta"))
    return found


def _utf8(payload: bytes, declared: Declared) -> Decision:
    by = next((by for encoding, by in declared if encoding is UTF_8), None)
    if by is None:
        by = "corrected" if declared and not payload.isascii() else "utf-8"
    if may_be_misread(payload) and is_misread(payload):
        return _repaired(payload) or Decision("utf-8", by, payload, True, 0.1)
    doubtful = b"\0" in payload and _is_binary(payload)
    return Decision("utf-8", by, payload, doubtful, 0.1 if doubtful else 1.0)


def _repaired(payload: bytes) -> Decision | None:
    """Mojibake read back, where what comes out reads like text and, misread, gives the mojibake again."""
    misread = suspect(payload)
    for way in WAYS:
        data = bytes_of(misread, way)
        reading = _undeclared(data)
        if not data or not reading.sound or reading.score < READS_WELL or is_misread(reading.text):
            continue
        mended = read_back(misread, way, partial(str, encoding=reading.encoding.codec))
        if mended is not None:
            return Decision(reading.encoding.name, "repaired", mended, False, 0.9)
    return None


def _undeclared(data: bytes) -> Reading:
    reading = read(UTF_8, data)
    return replace(reading, score=1000) if reading.sound else _guess(data)[0]


def _is_binary(payload: bytes) -> bool:
    return (len(payload) - len(payload.translate(None, CONTROLS))) * 100 > len(payload)


def _short(payload: bytes, declared: Declared) -> Decision | None:
    """A few two-byte characters may be valid UTF-8 by accident: then a declared East Asian encoding is believed."""
    two_byte = [(encoding, by) for encoding, by in declared if encoding.family == "multibyte"]
    text = payload.decode() if two_byte else ""
    if not text or len(payload) - len(text) > 2 * FEW_CHARACTERS or max(text) >= "\u0800":
        return None
    for encoding, by in two_byte:
        reading = read(encoding, payload)
        if not reading.bad:
            return _decision(reading, by, 0.5)
    return None


def _seven_bit(payload: bytes, declared: Declared) -> Decision | None:
    """Encodings that switch by escape sequences, which no other encoding has."""
    name, escapes = None, b"\x1b" in payload
    if escapes and JAPANESE_ESCAPE.search(payload):
        name = "iso-2022-jp"
    elif escapes and KOREAN_ESCAPE in payload:
        name = "iso-2022-kr"
    elif any(encoding.name == "hz-gb-2312" for encoding, _ in declared) and b"~{" in payload:
        name = "hz-gb-2312"
    if name is None or (len(payload) - len(payload.translate(None, HIGH))) * 20 > len(payload):
        return None
    reading = read(BY_NAME[name], payload)
    if not reading.sound:
        return None
    return _decision(reading, _by(reading.encoding, declared), 1.0)


def _wide(payload: bytes, declared: Declared) -> Decision | None:
    """UTF-16 or UTF-32 without a mark: markup in them is full of zero bytes, on one side."""
    head = payload[: HEAD_BYTES - HEAD_BYTES % 4]
    if head.count(0) * 8 < len(head) or len(head) < 8:
        return None
    zeros = [head[i::4].count(0) for i in range(4)]
    if sum(zeros) * 2 > len(head):
        name = "utf-32le" if zeros[0] < zeros[3] else "utf-32be"
    else:
        name = "utf-16le" if zeros[0] + zeros[2] < zeros[1] + zeros[3] else "utf-16be"
    reading = read(BY_NAME[name], payload)
    if reading.bad > bad_allowed(payload, reading.characters) or _is_binary(reading.text[:HEAD_BYTES].encode()):
        return None
    return _decision(reading, _by(reading.encoding, declared), 1.0)


def _legacy(payload: bytes, declared: Declared) -> Decision:
    """Bytes that are not valid UTF-8."""
    sample = sample_of(payload)
    readings = [read(encoding, payload) for encoding, _ in declared if may_be(encoding, sample)]
    for reading in readings:
        if reading.sound and reading.score >= READS_WELL:
            return _decision(reading, _by(reading.encoding, declared), 1.0)
    if may_be(UTF_8, sample):
        damaged = read(UTF_8, payload)
        if damaged.sound or _is_mostly_right(damaged):
            return _decision(damaged, _by(UTF_8, declared), 1.0 if damaged.sound else 0.5)
    best, confidence = _guess(payload)
    for reading in readings:
        if reading.sound and (not best.sound or reading.score + CLEARLY_BETTER >= best.score):
            return _decision(reading, _by(reading.encoding, declared), 0.5)
    unlike = best.score < READS_WELL and best.characters > FEW_CHARACTERS and confidence < SURE
    doubtful = unlike or not best.sound or _is_binary(payload)
    return _decision(best, "corrected" if declared else "statistical", confidence, doubtful)


def _is_mostly_right(utf8: Reading) -> bool:
    """Whether so much of damaged UTF-8 is valid as bytes of another encoding hardly ever are."""
    return utf8.characters - utf8.bad >= FEW_CHARACTERS and utf8.bad * MOSTLY_RIGHT <= utf8.characters


def _guess(payload: bytes) -> tuple[Reading, float]:
    """What chardet makes of the bytes without their declarations, and its confidence.

    chardet excludes an encoding for a single bad byte; so where its answer does not read like text, a two-byte code
    that does, with few bad places, is taken (hardly any other text passes as one of them), or an answer that is to
    chardet nearly as likely.
    """
    high = FIRST_HIGH.search(payload)
    start = max(0, high.start() - HEAD_BYTES) if high and high.start() > GUESS_BYTES - HEAD_BYTES else 0
    window = LABEL.sub(rb"\1", payload[start : start + GUESS_BYTES])
    found = chardet.detect(window, max_bytes=GUESS_BYTES)
    encoding = encoding_of(found["encoding"])
    reading = read(encoding or WESTERN, payload)
    confidence = 0.1 if encoding is None else round(found["confidence"], 2)
    if encoding is None or confidence >= SURE or (reading.sound and reading.score >= READS_WELL):
        return reading, confidence
    return _second(payload, window, confidence) or (reading, confidence)


def _second(payload: bytes, window: bytes, confidence: float) -> tuple[Reading, float] | None:
    """What else bytes may be that chardet's first answer does not read as text."""
    sample = sample_of(payload)
    damaged = [read(other, payload) for other in MULTIBYTE if may_be(other, sample)]
    damaged = [other for other in damaged if other.sound and other.score >= READS_WELL]
    if damaged:
        return max(damaged, key=lambda other: other.score), 0.5
    for found in chardet.detect_all(window, ignore_threshold=True, max_bytes=GUESS_BYTES)[1:OTHER_ANSWERS]:
        encoding = encoding_of(found["encoding"])
        as_likely = 2 * found["confidence"] > confidence
        if encoding is not None and encoding.family != "ebcdic" and as_likely and may_be(encoding, sample):
            reading = read(encoding, payload)
            if reading.sound and reading.score >= READS_WELL:
                return reading, round(found["confidence"], 2)
    return None


def _by(encoding: Encoding, declared: Declared) -> str:
    by = next((by for given, by in declared if given.name == encoding.name), None)
    return by or ("corrected" if declared else "statistical")


def _decision(reading: Reading, by: str, score: float, doubtful: bool = False) -> Decision:
    utf8 = reading.text.encode(errors="replace")
    if reading.bad or HALF_WIDTH_RUN.search(utf8):
        score = min(score, 0.9)
    return Decision(reading.encoding.name, by, utf8, doubtful, min(score, 0.1) if doubtful else score)
