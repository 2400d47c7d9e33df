"""What attributes say of elements: the words of their classes and ids, and whether they are hidden.

Names that people give to parts of a page (``main-content``, ``sidebarWidget``) are cut into words and hashed; what each
word says of the text inside is learnt, not written down.
"""

from dataclasses import dataclass

import numpy as np

from corpusforge.extract.markup import ATTRIBUTES, END, START, TAG_END, Markup, Tags
from corpusforge.extract.tags import BASIS, NUMBERS, Bytes, Hashes, hashed, name_hash
from corpusforge.extract.tree import Places, Tree
from corpusforge.kernels import kernel

HIDDEN, NOT_SHOWN = 1, 2
"""An element that is hidden from some readers; one that nobody sees unless a script shows it."""
MOST_WORDS, MOST_BYTES, MOST_TYPES = 48, 400, 256
"""Words of an attribute, bytes of its value that are read, types that a page says of itself."""

_NAMES = "class id role itemprop itemtype style hidden aria-hidden type content"
_CLASS, _ID, _ROLE, _ITEMPROP, _ITEMTYPE, _STYLE, _HIDDEN, _ARIA_HIDDEN, _TYPE, _CONTENT = (
    np.uint32(name_hash(name)) for name in _NAMES.split()
)
_META, _SCRIPT = (NUMBERS[name] for name in ("meta", "script"))
_JSON_LD = np.uint32(name_hash("application/ld+json"))
_OF_ROLE, _OF_TYPE = 7, 9
"""What sets words of a role or a property, and of a type, apart from those of classes."""


def property_hash(name: str) -> int:
    """The hash of a word in small letters where it stands in a role or a property."""
    return name_hash(f"{chr(_OF_ROLE)}{name}")


@dataclass(frozen=True)
class Attributes:
    """``words`` of element ``n`` are ``words[first[n]:first[n + 1]]``, hashed; ``kind`` is the hash of its first class,
    or of its name if it is no element of HTML; ``flags`` as above. ``types`` are hashes of what the page says it is."""

    words: Hashes
    first: Places
    kind: Hashes
    flags: Bytes
    types: Hashes


def read_attributes(markup: Markup, tree: Tree) -> Attributes:
    """Read the attributes of a page's elements."""
    words = np.empty(min(len(markup.html) // 3 + 64, 24 * len(tree)), np.uint32)
    first, kind = np.zeros(len(tree) + 1, np.int32), np.zeros(len(tree), np.uint32)
    flags, types = np.zeros(len(tree), np.uint8), np.zeros(MOST_TYPES, np.uint32)
    found = _read(markup.html, markup.tags, tree.tag, tree.element, words, first, kind, flags, types)
    return Attributes(words[: first[-1]], first, kind, flags, types[:found])


@kernel
def _read(
    html: Bytes,
    tags: Tags,
    tag: Places,
    element: Bytes,
    words: Hashes,
    first: Places,
    kind: Hashes,
    flags: Bytes,
    types: Hashes,
) -> int:
    count, found = 0, 0
    for one in range(1, len(tag)):
        row = tag[one]
        at, end = tags[row, ATTRIBUTES], max(tags[row, TAG_END] - 1, tags[row, ATTRIBUTES])
        json = False
        while at < end:
            at, name, value, value_end = _attribute(html, at, end)
            if name in (_CLASS, _ID, _ROLE, _ITEMPROP, _ITEMTYPE):
                count, begun = _words(html, value, value_end, name, words, count)
                if name == _CLASS and kind[one] == 0:
                    kind[one] = begun
            elif name == _STYLE:
                flags[one] |= HIDDEN | NOT_SHOWN if _not_displayed(html, value, value_end) else 0
            elif name == _HIDDEN:
                flags[one] |= HIDDEN | NOT_SHOWN
            elif name == _ARIA_HIDDEN and value_end - value == 4:  # true
                flags[one] |= HIDDEN
            elif name == _TYPE and element[one] == _SCRIPT:
                json = _hash_of(html, value, value_end) == _JSON_LD
            elif name == _CONTENT and element[one] == _META and value_end - value < 24 and found < MOST_TYPES:
                types[found] = _hash_of(html, value, value_end)
                found += 1
        if json:
            found = _json_types(html, tags[row, TAG_END], tags[row, END], types, found)
        if element[one] == 0 and kind[one] == 0:
            kind[one] = _hash_of(html, tags[row, START] + 1, tags[row, ATTRIBUTES])
        first[one + 1] = count
    return found


@kernel
def _attribute(html: Bytes, at: int, end: int) -> tuple[int, np.uint32, int, int]:
    """Where the next attribute ends, the hash of its name, and where its value stands."""
    while at < end and (html[at] <= 32 or html[at] == 47):
        at += 1
    name = np.uint32(BASIS)
    begun = at
    while at < end:
        byte = html[at]
        if byte <= 32 or byte == 47 or (byte == 61 and at > begun):
            break
        name = hashed(name, byte | 32 if 65 <= byte <= 90 else byte)
        at += 1
    while at < end and html[at] <= 32:
        at += 1
    if at >= end or html[at] != 61:  # =
        return at, name, at, at
    at += 1
    while at < end and html[at] <= 32:
        at += 1
    value = at
    if at < end and (html[at] == 34 or html[at] == 39):
        value = at + 1
        at = value
        while at < end and html[at] != html[value - 1]:
            at += 1
        return at + 1, name, value, at
    while at < end and html[at] > 32:
        at += 1
    return at, name, value, at


@kernel
def _hash_of(html: Bytes, at: int, end: int) -> np.uint32:
    value = np.uint32(BASIS)
    for place in range(at, end):
        byte = html[place]
        value = hashed(value, byte | 32 if 65 <= byte <= 90 else byte)
    return value


@kernel
def _words(html: Bytes, at: int, end: int, name: np.uint32, words: Hashes, count: int) -> tuple[int, np.uint32]:
    """Hash the words of a value and each name of several words as a whole; give how many words there are now and the
    first name. A word ends at what is no letter and before a capital; digits do not count."""
    salt = np.uint32(BASIS)
    if name in (_ROLE, _ITEMPROP):
        salt = hashed(salt, _OF_ROLE)
    elif name == _ITEMTYPE:
        salt = hashed(salt, _OF_TYPE)
        slash = end - 1
        while slash > at and html[slash] != 47:
            slash -= 1
        at = slash + 1 if slash > at else at
    end = min(end, at + MOST_BYTES)
    limit = min(len(words), count + MOST_WORDS)
    begun = np.uint32(0)
    whole, part, in_whole, in_part, parts, small = salt, salt, 0, 0, 0, False
    for place in range(at, end + 1):
        byte = html[place] if place < end else 32
        lower, upper = 97 <= byte <= 122, 65 <= byte <= 90
        letter = lower or upper or byte >= 128
        if in_part and (not letter or (upper and small)):
            if in_part >= 2 and count < limit:
                words[count] = part
                count += 1
            part, in_part, parts = salt, 0, parts + 1
        if byte <= 32:
            if parts >= 2 and count < limit:
                words[count] = whole
                count += 1
            if in_whole and begun == 0:
                begun = whole
            whole, part, in_whole, in_part, parts = salt, salt, 0, 0, 0
        else:
            byte = byte | 32 if upper else byte
            if not 48 <= byte <= 57:
                whole, in_whole = hashed(whole, byte), in_whole + 1
            if letter:
                part, in_part = hashed(part, byte), in_part + 1
        small = lower
    return count, begun


@kernel
def _not_displayed(html: Bytes, at: int, end: int) -> bool:
    """Whether a style says ``display: none``."""
    for place in range(at, end - 11):
        if html[place] == 100 and html[place + 1] == 105 and html[place + 2] == 115 and html[place + 6] == 121:
            after = place + 7
            while after < end and (html[after] == 58 or html[after] <= 32):
                after += 1
            return after + 3 < end + 1 and html[after] == 110 and html[after + 1] == 111 and html[after + 2] == 110
    return False


@kernel
def _json_types(html: Bytes, at: int, end: int, types: Hashes, found: int) -> int:
    """Take the hashes of what follows ``"@type":`` in JSON-LD."""
    while at + 8 < end and found < MOST_TYPES:
        if html[at] == 64 and html[at + 1] == 116 and html[at + 4] == 101 and html[at + 5] == 34:  # @type"
            at += 6
            while at < end and html[at] != 34:
                at += 1
            value = at + 1
            at = value
            while at < end and html[at] != 34 and at < value + 40:
                at += 1
            types[found] = _hash_of(html, value, min(at, end))
            found += 1
        at += 1
    return found
