"""Members of tar archives as a stream gives them: old, ustar, GNU and pax, with long names."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from corpusforge.archive.record import Lost
from corpusforge.archive.streams import Stream

BLOCK = 512
NAME_BYTES = 1 << 16
"""A long name, or a pax head, of more bytes than this is cut."""
FILES = (b"0", b"\0", b"7")
PAX = re.compile(rb"\d{1,8} ([^=\n]{1,255})=([^\n]*)\n")


@dataclass(frozen=True)
class Entry:
    """One member: its name, where its head begins in the archive's bytes, its size and type."""

    name: str
    offset: int
    size: int
    kind: bytes


def is_tar(block: bytes) -> bool:
    """Whether the first bytes of a stream are a tar head."""
    return len(block) >= BLOCK and block[0] != 0 and _head(block[:BLOCK], 0) is not None


def entries(stream: Stream) -> Iterator[Entry | Lost]:
    """Every file of an archive; after each the stream stands at its bytes, of which any number may be taken.

    Folders, links and devices are ``not_content``, a stretch without a head is one ``broken_record``.
    """
    name, size, lost = "", -1, False
    while stream.fill(1):
        at = stream.position
        block = stream.take(BLOCK)
        if not block.strip(b"\0"):
            continue
        entry = _head(block, at)
        if entry is None:
            if not lost:
                yield Lost(at, "broken_record")
            lost = True
            continue
        lost = False
        if entry.kind in (b"L", b"x", b"g", b"K"):
            data = stream.take(min(entry.size, NAME_BYTES))
            stream.drop(-(-entry.size // BLOCK) * BLOCK - len(data))
            name, size = _more(entry.kind, data, name, size)
            continue
        entry = replace(entry, name=name or entry.name, size=entry.size if size < 0 else size)
        name, size, begin = "", -1, stream.position
        yield entry if entry.kind in FILES and not entry.name.endswith("/") else Lost(entry.offset, "not_content")
        stream.drop(begin + -(-entry.size // BLOCK) * BLOCK - stream.position)


def _more(kind: bytes, data: bytes, name: str, size: int) -> tuple[str, int]:
    """What a head before the member's own says of its name and size."""
    if kind == b"L":
        return _text(data.rstrip(b"\0")), size
    if kind == b"x":
        fields = dict(PAX.findall(data))
        name = _text(fields[b"path"]) if b"path" in fields else name
        given = fields.get(b"size", b"")
        size = int(given) if given.isdigit() and len(given) < 19 else size
    return name, size


def _head(block: bytes, at: int) -> Entry | None:
    """A member's head; None if its sum is wrong."""
    if len(block) < BLOCK:
        return None
    said = _number(block[148:156])
    total = sum(block) - sum(block[148:156]) + 8 * 32
    size = _number(block[124:136])
    if said != total or size is None:
        return None
    name = _text(block[:100].partition(b"\0")[0])
    prefix = _text(block[345:500].partition(b"\0")[0]) if block[257:263] == b"ustar\0" else ""
    return Entry(f"{prefix}/{name}" if prefix else name, at, size, block[156:157])


def _number(field: bytes) -> int | None:
    """An octal number, or a binary one as GNU writes large ones."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big") if int.from_bytes(field[1:], "big") < 1 << 62 else None
    digits = field.partition(b"\0")[0].strip()
    if not digits:
        return 0
    return int(digits, 8) if all(48 <= digit <= 55 for digit in digits) else None


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp932", "replace")
