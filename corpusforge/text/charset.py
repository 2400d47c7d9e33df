"""Which encoding a page is in, and which evidence decided.

In order: byte order mark, HTTP header, ``<meta>`` or XML declaration in the first 4 kB, a check whether what was
declared can be true, and last the text itself. Declarations are believed as long as the bytes allow it: valid UTF-8 is
UTF-8 whatever was declared, and a legacy encoding gives way where another one reads much more like text. How much bytes
read like text is the share of their non-ASCII characters that are frequent in the languages of the encoding.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from corpusforge.text.encodings import BY_NAME, Encoding, decode, encoding_of

HEAD_BYTES = 4096
SAMPLE_BYTES = 1 << 13
"""Bytes of lines with non-ASCII bytes on which encodings are compared."""
LINE_BYTES = 1 << 12
SAMPLE_CHARACTERS = 4000
BYTES_PER_BAD = 1000
CHARACTERS_PER_BAD = 100
"""One undecodable place in so many bytes, or in so many non-ASCII characters, becomes U+FFFD in a sound text."""
READS_WELL = 300
"""Permille of frequent characters from which bytes read like text: right readings have 400-1000, wrong ones 0-200."""
CLEARLY_BETTER = 200
"""Permille by which another encoding must read better to overrule a declaration."""
FEW_CHARACTERS = 8
"""So few non-ASCII characters prove nothing."""

META = re.compile(rb"<meta\b[^>]*?\bcharset\s*=\s*(?:[\"']|&quot;)*\s*([\w.:+-]{2,40})", re.IGNORECASE)
XML = re.compile(rb"\s*<\?xml\b[^>]*?\bencoding\s*=\s*[\"']\s*([\w.:+-]{2,40})")
COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
NON_ASCII = re.compile(r"[^\x00-\x7f]+")
HIGH_RUN = re.compile(rb"[\x80-\xff]+")
HIGH = bytes(range(0x80, 0x100))
CONTROLS = bytes(byte for byte in range(0x20) if byte not in b"\t\n\r\f\x1b")
JAPANESE_ESCAPE = re.compile(rb"\x1b(?:\$[@B]|\(I|\$\(D)")
KOREAN_ESCAPE = b"\x1b$)C"
MISREAD = re.compile(rb"\xc2[\x80-\x9f]")

MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\0\0", "utf-32le"),
    (b"\0\0\xfe\xff", "utf-32be"),
    (b"\xff\xfe", "utf-16le"),
    (b"\xfe\xff", "utf-16be"),
)
UTF_8 = BY_NAME["utf-8"]
WESTERN = BY_NAME["windows-1252"]
GUESSED = (
    "shift_jis euc-jp gb18030 big5 euc-kr johab windows-1252 windows-1251 windows-1250 windows-1254 windows-1253"
    " windows-1255 windows-1256 windows-874 windows-1257 koi8-r iso-8859-5 ibm866 ibm855 iso-8859-2 iso-8859-7"
    " iso-8859-6 x-mac-cyrillic"
)
CANDIDATES = tuple(BY_NAME[name] for name in GUESSED.split())
"""What the text itself can decide for; of two that read alike, the earlier one."""


@dataclass(frozen=True)
class Decision:
    """The encoding, the step that decided (``bom``, ``http``, ``meta``, ``corrected``, ``statistical``, ``utf-8``),
    the text, the same as UTF-8, and whether to doubt it all."""

    charset: str
    by: str
    text: str
    utf8: bytes
    doubtful: bool = False
    score: float = 1.0


@dataclass(frozen=True)
class Reading:
    """Bytes read in one encoding: undecodable places, non-ASCII characters, permille of those that are frequent."""

    encoding: Encoding
    text: str
    bad: int
    characters: int
    score: int
    sound: bool


Declared = list[tuple[Encoding, str]]


def decide(payload: bytes, http_label: str | None) -> Decision:
    """Decode a page. ``http_label`` is the charset parameter of its Content-Type."""
    for mark, name in MARKS:
        if payload.startswith(mark):
            return _marked(payload[len(mark) :], BY_NAME[name])
    declared = _declared(payload[:HEAD_BYTES], http_label)
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return _seven_bit(payload, declared) or _wide(payload) or _legacy(payload, declared)
    if text.isascii():
        return _seven_bit(payload, declared) or _wide(payload) or _utf8(payload, text, declared)
    if len(payload) - len(text) <= 2 * FEW_CHARACTERS and (other := _short(payload, text, declared)):
        return other
    return _utf8(payload, text, declared)


def _marked(payload: bytes, encoding: Encoding) -> Decision:
    reading = read(encoding, payload)
    if encoding is UTF_8 and not reading.bad:
        return Decision(encoding.name, "bom", reading.text, payload)
    doubtful = reading.bad > _bad_allowed(payload, reading.characters)
    return Decision(encoding.name, "bom", reading.text, reading.text.encode(errors="replace"), doubtful)


def _declared(head: bytes, http_label: str | None) -> Declared:
    """What HTTP and the page's head declare. UTF-16 in a head that ASCII can read means UTF-8 (WHATWG)."""
    found: Declared = []
    if (by_http := encoding_of(http_label)) is not None:
        found.append((by_http, "http"))
    plain = COMMENT.sub(b"", head) if b"<!--" in head else head
    label = META.search(plain) or XML.match(plain)
    by_meta = None if label is None else encoding_of(label[1].decode())
    if by_meta is not None:
        found.append((UTF_8 if by_meta.family == "wide" else by_meta, "meta"))
    return found


def _utf8(payload: bytes, text: str, declared: Declared) -> Decision:
    by = next((by for encoding, by in declared if encoding is UTF_8), None)
    if by is None:
        by = "corrected" if declared and not text.isascii() else "utf-8"
    return Decision("utf-8", by, text, payload, _is_misread(payload) or (b"\0" in payload and _is_binary(payload)))


def _is_binary(payload: bytes) -> bool:
    return (len(payload) - len(payload.translate(None, CONTROLS))) * 100 > len(payload)


def _is_misread(payload: bytes) -> bool:
    """Whether text was once read as Latin-1 and saved as UTF-8: then it is full of C1 control characters."""
    if payload.count(b"\xc2") <= 2 * FEW_CHARACTERS:
        return False
    controls = len(MISREAD.findall(payload))
    return controls > FEW_CHARACTERS and controls * 200 > len(payload)


def _short(payload: bytes, text: str, declared: Declared) -> Decision | None:
    """A few two-byte characters may be valid UTF-8 by accident: then a declared East Asian encoding is believed."""
    for encoding, by in declared:
        if encoding.family == "multibyte" and max(text) < "\u0800":
            reading = read(encoding, payload)
            if not reading.bad:
                return _decision(reading, by)
    return None


def _seven_bit(payload: bytes, declared: Declared) -> Decision | None:
    """Encodings that switch by escape sequences, which no other encoding has."""
    name = None
    if b"\x1b" in payload and JAPANESE_ESCAPE.search(payload):
        name = "iso-2022-jp"
    elif KOREAN_ESCAPE in payload:
        name = "iso-2022-kr"
    elif b"~{" in payload and any(encoding.name == "hz-gb-2312" for encoding, _ in declared):
        name = "hz-gb-2312"
    high = len(payload) - len(payload.translate(None, HIGH))
    if name is None or high * 20 > len(payload):
        return None
    reading = read(BY_NAME[name], payload)
    if not reading.sound:
        return None
    return _decision(reading, _by(reading.encoding, declared))


def _wide(payload: bytes) -> Decision | None:
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
    sound = reading.bad <= _bad_allowed(payload, reading.characters) and "<" in reading.text
    return _decision(reading, "statistical") if sound else None


def _legacy(payload: bytes, declared: Declared) -> Decision:
    """Bytes that are not valid UTF-8."""
    sample = _sample(payload)
    # Decoding what is full of errors is slow, so the sample comes first.
    readings = [read(encoding, payload) for encoding, _ in declared if _may_be(encoding, sample)]
    for reading in readings:
        if reading.sound and reading.score >= READS_WELL:
            return _decision(reading, _by(reading.encoding, declared))
    if _may_be(UTF_8, sample) and (damaged := read(UTF_8, payload)).sound:
        return _decision(damaged, _by(UTF_8, declared))
    best = _best(sample)
    for reading in readings:
        if reading.sound and reading.score + CLEARLY_BETTER >= best.score:
            return _decision(reading, _by(reading.encoding, declared))
    final = read(best.encoding, payload)
    unlike = final.score < READS_WELL and final.characters > FEW_CHARACTERS
    doubtful = unlike or not final.sound or _is_binary(payload)
    return _decision(final, "corrected" if declared else "statistical", doubtful)


def _may_be(encoding: Encoding, sample: bytes) -> bool:
    reading = read(encoding, sample)
    return reading.bad * 4 <= reading.characters


def _best(sample: bytes) -> Reading:
    """The encoding that reads best; two-byte codes first, because hardly any other text passes as one of them."""
    readings = [reading for encoding in CANDIDATES if (reading := read(encoding, sample)).sound]
    paired = [r for r in readings if r.encoding.family == "multibyte" and r.score >= READS_WELL]
    return max(paired or readings, key=lambda reading: reading.score, default=read(WESTERN, sample))


def _by(encoding: Encoding, declared: Declared) -> str:
    by = next((by for given, by in declared if given is encoding), None)
    return by or ("corrected" if declared else "statistical")


def _decision(reading: Reading, by: str, doubtful: bool = False) -> Decision:
    utf8 = reading.text.encode(errors="replace")
    return Decision(reading.encoding.name, by, reading.text, utf8, doubtful)


def read(encoding: Encoding, data: bytes) -> Reading:
    """Read bytes in an encoding and measure how much the result is like text."""
    text = decode(encoding, data)
    bad = text.count("\ufffd") - (data.count(b"\xef\xbf\xbd") if encoding is UTF_8 else 0)
    strange = _first_characters(text)
    sound = bad <= _bad_allowed(data, len(strange)) and bad * 4 <= len(strange)
    frequent = sum(map(encoding.frequent.__contains__, strange))
    score = 1000 * frequent // len(strange) if strange else 1000
    if encoding.family in ("latin", "single") and strange and _runs_are_long(data) == (encoding.family == "latin"):
        score = 0
    return Reading(encoding, text, bad, len(strange), score, sound)


def _bad_allowed(data: bytes, characters: int) -> int:
    return max(1, len(data) // BYTES_PER_BAD, characters // CHARACTERS_PER_BAD)


def _first_characters(text: str) -> str:
    pieces: list[str] = []
    size = 0
    for match in NON_ASCII.finditer(text):
        pieces.append(match[0])
        size += len(match[0])
        if size >= SAMPLE_CHARACTERS:
            break
    return "".join(pieces)[:SAMPLE_CHARACTERS]


def _runs_are_long(data: bytes) -> bool:
    """Whether most non-ASCII bytes stand in runs of three or more, as in no Latin script."""
    runs = [len(run) for run in _first_runs(data)]
    return 2 * sum(run for run in runs if run > 2) > sum(runs)


def _first_runs(data: bytes) -> Iterator[bytes]:
    for count, match in enumerate(HIGH_RUN.finditer(data)):
        if count >= SAMPLE_CHARACTERS:
            return
        yield match[0]


def _sample(payload: bytes) -> bytes:
    """The rests of lines from their first non-ASCII byte on, as many as are needed to compare encodings.

    No character of any encoding here goes on over a line end, so no piece begins inside one.
    """
    pieces: list[bytes] = []
    size = position = 0
    while size < SAMPLE_BYTES and (high := HIGH_RUN.search(payload, position)):
        end = payload.find(b"\n", high.start())
        position = len(payload) if end < 0 else end
        pieces.append(payload[high.start() : min(position, high.start() + LINE_BYTES)])
        size += len(pieces[-1])
    return b"\n".join(pieces)
