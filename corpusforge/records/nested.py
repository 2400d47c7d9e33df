"""JSON that is no JSON Lines: objects in an array, or written over many lines, found without holding the file.

An object is found by its brackets; outside of objects only brackets of arrays, commas and white space may stand.
"""

import re
from collections.abc import Iterable, Iterator

from corpusforge.records.lines import BOM, Line

HEAD_BYTES = 1 << 12
BEGIN = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\[\s*(?:[{\]]|\Z)|\{[ \t\r]*\n\s*\")")
"""How such a file begins; a line of JSON Lines is an object, and whole."""
BETWEEN = re.compile(rb'[^"{}\[\]]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^"{}\[\]]*+)*+', re.DOTALL)
"""Up to the next bracket, or to a string that goes on behind these bytes."""
IN_STRING = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
QUOTE = b'"'[0]
SPACE = b" \t\r\n,"
WRONG = b"?"
"""Stands for a stretch that is no object: it is no JSON either."""


def is_nested(head: bytes) -> bool:
    """Whether a file that begins like this is to be read object by object."""
    return BEGIN.match(head) is not None


def nested(pieces: Iterable[bytes], most: int) -> Iterator[Line]:
    """Where each object begins, its length and its bytes; None for one of more than ``most`` bytes.

    Each stretch of something else gives one ``WRONG``, and so does an end that comes too early.
    """
    scan = Scan(most)
    for piece in pieces:
        yield from scan.objects(piece)
    yield from scan.end()


class Scan:
    """What is read and not done yet: the bytes since the last object, or those of the object that has begun."""

    def __init__(self, most: int) -> None:
        self._most, self._buffer = most, bytearray()
        self._begin = self._offset = self._at = 0
        """Where the object or stretch begins in the file, where the buffer does, how far the buffer is looked at."""
        self._arrays = self._depth = 0
        self._in_string = self._over = False

    def objects(self, piece: bytes) -> Iterator[Line]:
        self._buffer += piece
        while self._to_bracket():
            opens = self._buffer[self._at] in b"{["
            if self._depth == 0:
                yield from self._stray(self._at)
                if self._buffer[:1] == b"}":
                    yield self._done(1, WRONG)
                    continue
                if self._buffer[:1] != b"{":
                    self._arrays += 1 if opens else -1
                    self._drop(1)
                    continue
            self._at += 1
            self._depth += 1 if opens else -1
            if self._depth == 0:
                yield self._done(self._at, bytes(self._buffer[: self._at]))
        if len(self._buffer) > self._most:
            self._over = True
            self._cut(self._at)

    def end(self) -> Iterator[Line]:
        if self._depth or self._arrays or self._in_string:
            yield self._done(len(self._buffer), WRONG)
        else:
            yield from self._stray(len(self._buffer))

    def _to_bracket(self) -> bool:
        """Go on to the next bracket outside of strings; False where the bytes end before it."""
        while self._at < len(self._buffer):
            found = (IN_STRING if self._in_string else BETWEEN).match(self._buffer, self._at)
            self._at = found.end() if found else self._at
            if self._at == len(self._buffer):
                return False
            if self._buffer[self._at] != QUOTE:  # a bracket, or within a string the first half of an escape
                return not self._in_string
            self._in_string = not self._in_string
            self._at += 1
        return False

    def _stray(self, end: int) -> Iterator[Line]:
        """Leave what stands outside of objects behind."""
        stretch = bytes(self._buffer[:end])
        if self._over or (stretch if self._begin else stretch.removeprefix(BOM)).strip(SPACE):
            yield self._done(end, WRONG)
        else:
            self._drop(end)

    def _done(self, end: int, data: bytes) -> Line:
        begin, found = self._begin, None if self._over or len(data) > self._most else data
        self._drop(end)
        return begin, self._begin - begin, found

    def _drop(self, count: int) -> None:
        self._cut(count)
        self._begin, self._over = self._offset, False

    def _cut(self, count: int) -> None:
        del self._buffer[:count]
        self._offset += count
        self._at -= count
