"""HTML's elements by number, and what has to be known of each to cut a page into blocks."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from corpusforge.kernels import inlined, kernel

Bytes = npt.NDArray[np.uint8]
Hashes = npt.NDArray[np.uint32]

_BLOCKS = (
    "html body div p ul ol li dl dt dd h1 h2 h3 h4 h5 h6 table caption thead tbody tfoot tr td th pre blockquote "
    "section article main nav header footer aside form fieldset legend figure figcaption address details summary "
    "center hr dialog menu search hgroup option select button noscript picture video audio canvas listing xmp"
)
_INLINE = (
    "a span b strong i em u small big sub sup font code kbd samp tt var cite q mark label abbr time s strike del "
    "ins img br input wbr area base col colgroup embed link meta param source track object textarea script style "
    "title svg iframe template head bdi bdo data map math nobr ruby rb rt rtc rp noindex noembed noframes"
)
NAMES = ("", *_BLOCKS.split(), *_INLINE.split())
"""Names by number; 0 is every element that is not among them."""
NUMBERS = {name: number for number, name in enumerate(NAMES)}

BLOCK, VOID, RAW, ENDS_PARAGRAPH, SILENT, EMPHASIS, PREFORMATTED = (1 << bit for bit in range(7))
"""A block breaks the text; a void element holds nothing; the content of a raw one is no markup; readings of ruby are
silent."""

_VOID = "br hr img input wbr area base col embed link meta param source track"
_RAW = "script style textarea title svg iframe template select noembed noframes xmp"
_ENDS_PARAGRAPH = (
    "address article aside blockquote center details dialog div dl fieldset figcaption figure footer form h1 h2 "
    "h3 h4 h5 h6 header hgroup hr main menu nav ol p pre search section summary table ul li dt dd"
)
_KINDS = {
    BLOCK: _BLOCKS.split(),
    VOID: _VOID.split(),
    RAW: _RAW.split(),
    ENDS_PARAGRAPH: _ENDS_PARAGRAPH.split(),
    SILENT: ["rt", "rp", "rtc"],
    EMPHASIS: ["b", "strong", "i", "em"],
    PREFORMATTED: ["pre", "listing", "xmp"],
}

BASIS, PRIME = 2166136261, 16777619
"""FNV-1a of 32 bits (Fowler, Noll and Vo)."""
SLOTS = 1024


def name_hash(name: str) -> int:
    """FNV-1a of a name in small letters."""
    value = BASIS
    for byte in name.lower().encode():
        value = ((value ^ byte) * PRIME) & 0xFFFFFFFF
    return value


@inlined
def hashed(value: np.uint32, byte: int) -> np.uint32:
    """One more byte of FNV-1a."""
    return np.uint32((value ^ np.uint32(byte)) * np.uint32(PRIME))


def _kinds() -> Bytes:
    kinds = np.zeros(len(NAMES), np.uint8)
    for kind, names in _KINDS.items():
        for name in names:
            kinds[NUMBERS[name]] |= kind
    return kinds


def _table(names: Iterable[str]) -> tuple[Hashes, Bytes]:
    """Numbers by hash, in the first free slot from its low bits on."""
    hashes, numbers = np.zeros(SLOTS, np.uint32), np.zeros(SLOTS, np.uint8)
    for number, name in enumerate(names):
        if name:
            slot = name_hash(name) % SLOTS
            while numbers[slot]:
                slot = (slot + 1) % SLOTS
            hashes[slot], numbers[slot] = name_hash(name), number
    return hashes, numbers


KINDS = _kinds()
HASHES, SLOT_NUMBERS = _table(NAMES)


@kernel
def number_of(value: np.uint32, hashes: Hashes, numbers: Bytes) -> int:
    """The number of the element whose name has this hash; 0 if there is none."""
    slot = np.int64(value) % SLOTS
    while numbers[slot] != 0:
        if hashes[slot] == value:
            return int(numbers[slot])
        slot = (slot + 1) % SLOTS
    return 0
