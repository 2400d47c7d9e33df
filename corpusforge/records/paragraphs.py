"""Paragraphs of a file, compressed or not: lines between blank lines, with the place where the first of them begins.

A slice owns the paragraphs that begin in it. A line of more than ``BLANK_BYTES`` is never blank, so that a slice sees
from a few bytes before it whether it begins within a paragraph.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from corpusforge.decoders import WINDOW_BYTES
from corpusforge.records.compressed import PLAIN, kind_of
from corpusforge.records.lines import Line, lines

BLANK_BYTES = 1024


@dataclass
class Paragraph:
    """The lines so far; their bytes are not held beyond ``most``."""

    offset: int
    most: int
    end: int = 0
    size: int = 0
    lines: list[bytes] = field(default_factory=list)

    def add(self, line: Line) -> None:
        offset, length, data = line
        self.end = offset + length
        self.size += self.most + 1 if data is None else len(data) + 1
        if data is not None and self.size <= self.most + 1:
            self.lines.append(data)

    def closed(self) -> Line:
        text = b"\n".join(self.lines) if self.size <= self.most + 1 else None
        return self.offset, self.end - self.offset, text


def paragraphs(
    file: BinaryIO,
    name: str,
    start: int,
    end: int | None,
    most: int,
    window_bytes: int = WINDOW_BYTES,
    wide: str | None = None,
) -> Iterator[Line]:
    """The paragraphs that begin from ``start`` up to ``end``, as ``lines`` gives lines: None for one above ``most``."""
    if kind_of(file, name) != PLAIN or wide is not None:
        if start > 0:
            return
        end = None
    begin = max(start - BLANK_BYTES - 2, 0)
    after_blank, current = begin == 0, None
    for line in lines(file, name, begin, None, most, window_bytes, wide):
        offset, _, data = line
        if current is None and end is not None and offset >= end:
            return
        if data is not None and len(data) <= BLANK_BYTES and not data.strip():
            if current is not None:
                yield current.closed()
            after_blank, current = True, None
            continue
        if current is None and after_blank and offset >= start:
            current = Paragraph(offset, most)
        if current is not None:
            current.add(line)
        after_blank = False
    if current is not None:
        yield current.closed()
