"""What stands around each block: the names on the path to it, its regions, the region with most prose, its template."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpusforge.extract.attributes import HIDDEN, Attributes
from corpusforge.extract.blocks import IN_LINKS, SENTENCES, WIDTH, Blocks
from corpusforge.extract.tags import NAMES, NUMBERS, Bytes, Hashes
from corpusforge.extract.tree import Places, Tree
from corpusforge.kernels import inlined, kernel
from corpusforge.text.exact import exponential

Floats = npt.NDArray[np.float32]

OWN, LEAST, MOST, PATH, PATH_LEAST, PATH_MOST, FADING = range(7)
"""Columns of ``names``: the sum, least and most of an element's own words; of all on the path to it; the sum of those
with each step away weighing ``FADE``."""
FADE = np.float32(0.7)
SLOTS = 1 << 18
"""Words share a score where their hashes share the low bits."""

TEXT, LINK_TEXT, BLOCKS_IN, SENTENCES_IN, PROSE, HEADINGS, PROSE_TEXT = range(7)
"""Columns of ``regions``: what an element holds, in it and in those inside."""
PROSE_WIDTH = 80
"""Width outside of links from which on a block with a sentence is prose."""

PARTS = {
    "nav": "nav menu", "header": "header hgroup", "footer": "footer", "aside": "aside", "main": "main",
    "article": "article", "form": "form fieldset", "table": "table", "list": "ul ol dl", "figure": "figure figcaption",
    "section": "section", "button": "button label", "details": "details summary", "code": "pre code",
    "quote": "blockquote", "hidden": "", "link": "a", "noscript": "noscript",
}  # fmt: skip
"""Kinds of elements that a block may stand in, by bit."""
_BITS = {name: 1 << bit for bit, name in enumerate(PARTS)}
HIDDEN_PART = _BITS["hidden"]
CODE_PART, TABLE_PART = _BITS["code"], _BITS["table"]
_UNLIKELY = _BITS["nav"] | _BITS["footer"] | _BITS["aside"] | _BITS["hidden"]

OTHER, HEADING, PARAGRAPH, ITEM, CELL, DIVISION = range(6)
_CATEGORIES = {
    HEADING: "h1 h2 h3 h4 h5 h6", PARAGRAPH: "p blockquote pre", ITEM: "li dt dd", CELL: "td th",
    DIVISION: "div section article main",
}  # fmt: skip


def _table(values: dict[int, str]) -> npt.NDArray[np.int32]:
    table = np.zeros(len(NAMES), np.int32)
    for value, names in values.items():
        for name in names.split():
            table[NUMBERS[name]] |= value
    return table


PART_BITS = _table({_BITS[name]: elements for name, elements in PARTS.items()})
CATEGORY = _table(_CATEGORIES)
HEADING_LEVEL = _table({level: f"h{level}" for level in range(1, 7)})


@dataclass(frozen=True)
class Surroundings:
    """Of each element: ``names`` (float32 of (elements, 7)), ``parts`` it stands in, the ``template`` that its path is,
    its ``regions`` (float32 of (elements, 7)), its ``first`` and ``last`` block, the next element around it that holds
    more blocks (``outer``), its ``prose`` score. ``best`` is the element with the best."""

    names: Floats
    parts: Places
    template: npt.NDArray[np.uint64]
    regions: Floats
    first: Places
    last: Places
    outer: Places
    prose: Floats
    best: int


def read_surroundings(tree: Tree, attributes: Attributes, blocks: Blocks, word_scores: Floats) -> Surroundings:
    """Look around; ``word_scores`` of (``SLOTS``,) say of each word how likely text in an element so named is main."""
    count = len(tree)
    names, regions = np.zeros((count, 7), np.float32), np.zeros((count, 7), np.float32)
    parts, template = np.zeros(count, np.int32), np.zeros(count, np.uint64)
    _paths(tree.parent, tree.element, attributes.first, attributes.words, attributes.kind, attributes.flags,
           word_scores, PART_BITS, names, parts, template)  # fmt: skip
    first, last = np.full(count, len(blocks), np.int32), np.full(count, -1, np.int32)
    outer, prose = np.zeros(count, np.int32), np.zeros(count, np.float32)
    _regions(tree.parent, tree.element, tree.block, blocks.element, blocks.measures, CATEGORY, regions, first, last)
    _outer(tree.parent, regions, outer)
    best = _prose(tree.block, blocks.element, blocks.measures, parts, regions, outer, names, prose)
    return Surroundings(names, parts, template, regions, first, last, outer, prose, best)


@kernel
def _paths(
    parent: Places,
    element: Bytes,
    first: Places,
    words: Hashes,
    kind: Hashes,
    flags: Bytes,
    scores: Floats,
    part_bits: Places,
    names: Floats,
    parts: Places,
    template: npt.NDArray[np.uint64],
) -> None:
    for one in range(1, len(parent)):
        around, own = parent[one], names[one]
        for place in range(first[one], first[one + 1]):
            score = scores[np.int64(words[place]) & (SLOTS - 1)]
            own[OWN] += score
            own[LEAST], own[MOST] = min(own[LEAST], score), max(own[MOST], score)
        own[PATH] = names[around, PATH] + own[OWN]
        own[PATH_LEAST] = min(names[around, PATH_LEAST], own[LEAST])
        own[PATH_MOST] = max(names[around, PATH_MOST], own[MOST])
        own[FADING] = names[around, FADING] * FADE + own[OWN]
        hidden = HIDDEN_PART if flags[one] & HIDDEN else 0
        parts[one] = parts[around] | part_bits[element[one]] | hidden
        path = (template[around] ^ np.uint64(element[one])) * np.uint64(0x9E3779B97F4A7C15)
        path = (path ^ np.uint64(kind[one])) * np.uint64(0xC2B2AE3D27D4EB4F)
        template[one] = path ^ (path >> np.uint64(29))


@inlined
def is_prose(measures: npt.NDArray[np.int32]) -> bool:
    """Whether a block is a sentence or more that is no link."""
    return bool(measures[WIDTH] - measures[IN_LINKS] >= PROSE_WIDTH and measures[SENTENCES] > 0)


@kernel
def _regions(
    parent: Places,
    element: Bytes,
    block: Places,
    begins: Places,
    measures: npt.NDArray[np.int32],
    category: Places,
    regions: Floats,
    first: Places,
    last: Places,
) -> None:
    for number in range(len(begins)):
        one, measured = block[begins[number]], measures[number]
        region = regions[one]
        region[TEXT] += measured[WIDTH]
        region[LINK_TEXT] += measured[IN_LINKS]
        region[BLOCKS_IN] += 1
        region[SENTENCES_IN] += measured[SENTENCES]
        if is_prose(measured):
            region[PROSE] += 1
            region[PROSE_TEXT] += measured[WIDTH] - measured[IN_LINKS]
        if category[element[one]] == HEADING:
            region[HEADINGS] += 1
        first[one], last[one] = min(first[one], number), max(last[one], number)
    for one in range(len(parent) - 1, 0, -1):
        around = parent[one]
        for column in range(7):
            regions[around, column] += regions[one, column]
        first[around], last[around] = min(first[around], first[one]), max(last[around], last[one])


@kernel
def _outer(parent: Places, regions: Floats, outer: Places) -> None:
    for one in range(1, len(parent)):
        around = parent[one]
        outer[one] = around if regions[around, BLOCKS_IN] > regions[one, BLOCKS_IN] else outer[around]


@kernel
def _prose(
    block: Places,
    begins: Places,
    measures: npt.NDArray[np.int32],
    parts: Places,
    regions: Floats,
    outer: Places,
    names: Floats,
    prose: Floats,
) -> int:
    """Let each block speak for the four regions around it, less with each step, as readability does; give the region
    that stands best once links and the names on its path are counted."""
    for number in range(len(begins)):
        measured = measures[number]
        alone = measured[WIDTH] - measured[IN_LINKS]
        if alone < 25:
            continue
        weight = np.float32(1.0 + 0.5 * min(measured[SENTENCES], 10) + min(alone / 100.0, 5.0))
        if parts[begins[number]] & _UNLIKELY:
            weight *= np.float32(0.3)
        one = block[begins[number]]
        if regions[one, BLOCKS_IN] <= 1:
            one = outer[one]
        for _ in range(4):
            prose[one] += weight
            if one == 0:
                break
            weight, one = weight * np.float32(0.6), outer[one]
    best, most = 0, np.float32(-1.0)
    for one in range(len(prose)):
        if prose[one] > 0:
            free = np.float32(1.0) - regions[one, LINK_TEXT] / (regions[one, TEXT] + np.float32(1.0))
            named = np.float32(exponential(max(-2.0, min(1.0, 0.15 * names[one, PATH]))))
            value = prose[one] * free * named
            if value > most:
                most, best = value, one
    return best
