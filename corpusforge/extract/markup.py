"""Find the tags of a page: what stands between two of them is text.

Linear on any bytes: a search for what is not there (the end of a comment, of a ``<script>``) is made once.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpusforge.extract.tags import BASIS, HASHES, KINDS, NAMES, RAW, SLOT_NUMBERS, Bytes, Hashes, hashed, number_of
from corpusforge.kernels import compiled, inlined, kernel

START, ATTRIBUTES, TAG_END, END, ELEMENT, NAME, KIND = range(7)
"""Columns: the place of ``<``; the end of the name; that of the tag; where the next text begins, which is behind the
content of a raw element; the element's number; the hash of its name; what it is."""
COLUMNS = 7
OPEN, CLOSE, NOTHING = range(3)
"""A start tag, an end tag; a comment or anything else that is neither markup nor text."""

Tags = npt.NDArray[np.int32]
Marks = npt.NDArray[np.int64]
"""The places of every ``<``."""


@dataclass(frozen=True)
class Markup:
    """The bytes of a page and its tags, a row each."""

    html: Bytes
    tags: Tags


def read_markup(html: bytes) -> Markup:
    """Find the tags of UTF-8 HTML of less than 2 GiB."""
    data = np.frombuffer(html, np.uint8)
    marks = np.flatnonzero(data == 60)
    tags = np.empty((len(marks), COLUMNS), np.int32)
    found = _find(data, marks, KINDS, HASHES, SLOT_NUMBERS, tags)
    return Markup(data, tags[:found])


@compiled
def _find(html: Bytes, marks: Marks, kinds: Bytes, hashes: Hashes, numbers: Bytes, tags: Tags) -> int:
    size, end, found = len(html), 0, 0
    unclosed = np.zeros(len(NAMES) + 1, np.bool_)
    for mark in range(len(marks)):
        at = marks[mark]
        if at < end or at + 1 >= size:
            continue
        after = html[at + 1]
        if after == 33 or after == 63:  # <! and <?
            end = _after_comment(html, at, unclosed)
            _put(tags, found, at, end, end, end, 0, np.uint32(0), NOTHING)
        elif _is_letter(after):
            end = _start_tag(html, marks, mark, kinds, hashes, numbers, unclosed, tags, found)
        elif after == 47 and at + 2 < size:
            end = _end_tag(html, at, hashes, numbers, tags, found)
        else:
            continue
        found += 1
    return found


@inlined
def _is_letter(byte: int) -> bool:
    return 97 <= (byte | 32) <= 122


@kernel
def _put(
    tags: Tags, row: int, start: int, name_end: int, tag_end: int, end: int, element: int, name: np.uint32, kind: int
) -> None:
    tags[row, START], tags[row, ATTRIBUTES], tags[row, TAG_END], tags[row, END] = start, name_end, tag_end, end
    tags[row, ELEMENT], tags[row, NAME], tags[row, KIND] = element, np.int32(name), kind


@kernel
def _after_comment(html: Bytes, at: int, unclosed: npt.NDArray[np.bool_]) -> int:
    """The end of ``<!-- … -->``, or of another declaration at its first ``>``, as for a comment that never ends."""
    size = len(html)
    comment = at + 3 < size and html[at + 1] == 33 and html[at + 2] == 45 and html[at + 3] == 45
    if comment and not unclosed[0]:
        if at + 4 < size and html[at + 4] == 62:
            return at + 5
        end = at + 4
        while end + 2 < size:
            if html[end] == 45 and html[end + 1] == 45 and html[end + 2] == 62:
                return end + 3
            end += 1
        unclosed[0] = True
    return _behind(html, at + 2)


@kernel
def _behind(html: Bytes, at: int) -> int:
    """Behind the next ``>``."""
    while at < len(html) and html[at] != 62:
        at += 1
    return min(at + 1, len(html))


@kernel
def _name(html: Bytes, at: int) -> tuple[int, np.uint32]:
    """The end of a tag's name and its hash."""
    value = np.uint32(BASIS)
    while at < len(html):
        byte = html[at]
        if byte <= 32 or byte == 62 or byte == 47:
            break
        value = hashed(value, byte | 32 if 65 <= byte <= 90 else byte)
        at += 1
    return at, value


@kernel
def _end_tag(html: Bytes, at: int, hashes: Hashes, numbers: Bytes, tags: Tags, row: int) -> int:
    if not _is_letter(html[at + 2]):
        end = _behind(html, at + 2)
        _put(tags, row, at, end, end, end, 0, np.uint32(0), NOTHING)
        return end
    name_end, name = _name(html, at + 2)
    end = _behind(html, name_end)
    _put(tags, row, at, name_end, end, end, number_of(name, hashes, numbers), name, CLOSE)
    return end


@kernel
def _start_tag(
    html: Bytes,
    marks: Marks,
    mark: int,
    kinds: Bytes,
    hashes: Hashes,
    numbers: Bytes,
    unclosed: npt.NDArray[np.bool_],
    tags: Tags,
    row: int,
) -> int:
    at = marks[mark]
    name_end, name = _name(html, at + 1)
    element = number_of(name, hashes, numbers)
    tag_end = _tag_end(html, name_end)
    end = tag_end
    itself_closed = tag_end >= 2 and html[tag_end - 2] == 47
    if kinds[element] & RAW and not (itself_closed and _may_close_itself(element)):
        end = _after_content(html, marks, mark, tag_end, name, element, unclosed)
    _put(tags, row, at, name_end, tag_end, end, element, name, OPEN)
    return end


_SCRIPT, _TITLE, _STYLE, _TEXTAREA = (NAMES.index(name) for name in ("script", "title", "style", "textarea"))


@kernel
def _may_close_itself(element: int) -> bool:
    """``<svg/>`` ends with its tag; browsers do not believe it of ``<script/>``."""
    return element not in (_SCRIPT, _TITLE, _STYLE, _TEXTAREA)


@kernel
def _tag_end(html: Bytes, at: int) -> int:
    """Behind the ``>`` that ends a tag; one in a quoted value does not."""
    size = len(html)
    while at < size and html[at] != 62:
        if html[at] == 61:  # =
            at += 1
            while at < size and html[at] <= 32:
                at += 1
            if at < size and (html[at] == 34 or html[at] == 39):
                quote = html[at]
                at += 1
                while at < size and html[at] != quote:
                    at += 1
                at += 1
        else:
            at += 1
    return min(at + 1, size)


@kernel
def _after_content(
    html: Bytes,
    marks: Marks,
    mark: int,
    at: int,
    name: np.uint32,
    element: int,
    unclosed: npt.NDArray[np.bool_],
) -> int:
    """Behind the end tag of a raw element; without one, behind its start tag, or behind all that follows a script."""
    size = len(html)
    if not unclosed[element + 1]:
        for later in range(mark + 1, len(marks)):
            place = marks[later]
            if place >= at and place + 2 < size and html[place + 1] == 47:
                end, closing = _name(html, place + 2)
                if closing == name:
                    return _behind(html, end)
        unclosed[element + 1] = True
    return size if element == _SCRIPT else at
