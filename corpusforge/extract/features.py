"""What the model is told of each block: 173 numbers of its text, names, regions, neighbours and page."""

import numpy as np
import numpy.typing as npt

from corpusforge.extract.attributes import Attributes
from corpusforge.extract.blocks import (
    BREAKS,
    CAPITALS,
    DIGITS,
    EMPHASISED,
    FIRST,
    IMAGES,
    IN_LINKS,
    LAST,
    LINKS,
    MARKS,
    SENTENCES,
    WIDES,
    WIDTH,
    WORDS,
    Blocks,
)
from corpusforge.extract.headings import title_overlap
from corpusforge.extract.letters import ASCII, CAPITAL, DIGIT, SENTENCE, class_of
from corpusforge.extract.markup import Markup
from corpusforge.extract.surroundings import (
    BLOCKS_IN,
    CATEGORY,
    CELL,
    CODE_PART,
    DIVISION,
    FADING,
    HEADING,
    HEADING_LEVEL,
    HEADINGS,
    ITEM,
    LEAST,
    LINK_TEXT,
    MOST,
    OWN,
    PARAGRAPH,
    PARTS,
    PATH,
    PATH_LEAST,
    PATH_MOST,
    PROSE_TEXT,
    SENTENCES_IN,
    TABLE_PART,
    TEXT,
    Floats,
    Surroundings,
    is_prose,
)
from corpusforge.extract.tags import NUMBERS, Bytes, Hashes, name_hash
from corpusforge.extract.templates import group_blocks
from corpusforge.extract.tree import Places, Tree
from corpusforge.kernels import compiled, inlined, kernel
from corpusforge.text.exact import natural_log

LEVELS, NEIGHBOURS, WINDOWS = 5, (-3, -2, -1, 1, 2, 3), (5, 20)
FAR = 200
"""Blocks from which on prose is as far as can be."""

_TYPES = (
    "Article NewsArticle BlogPosting TechArticle ReportageNewsArticle ScholarlyArticle",
    "Product ProductGroup Offer AggregateOffer",
    "QAPage DiscussionForumPosting Question Answer",
    "ItemList CollectionPage SearchResultsPage",
    "article blog",
    "product product.item og:product",
)
"""Kinds of page, by what pages call themselves in JSON-LD (schema.org) and Open Graph."""


def _names(prefix: str, names: str) -> list[str]:
    return [f"{prefix}_{name}" for name in names.split()]


_GROUPS = {
    "own": _names("own", (
        "log_width width log_unlinked linked words width_of_word marks sentences sentence_density digits capitals wide "
        "emphasised links breaks images ends begins level paragraph item cell division other"
    )),
    "names": _names("names", "own own_least own_most path path_least path_most fading outer outer_outer"),
    "inside": _names("in", " ".join(PARTS) + " depth"),
    "regions": [name for level in range(LEVELS) for name in _names(
        f"region{level}", "log_text share linked log_blocks sentences place prose headings"
    )],
    "best": _names("best", "up down ratio distance share score names"),
    "template": _names("template", "log_blocks log_width linked log_mean share spread"),
    "title": _names("title", "overlap after distance") + _names("heading", "names distance level"),
    "neighbours": [name for step in NEIGHBOURS for name in _names(
        f"next{step}", "log_width linked sentences level alike"
    )],
    "around": _names("around", "prose5 linked5 prose20 linked20 place place_in_text prose_away log_prose_before"),
    "page": _names("page", (
        "log_blocks log_width linked sentences paragraphs log_widest articles mains code cells items log_images "
        "log_inputs is_article is_product is_forum is_list og_article og_product log_text_of_bytes prose best "
        "log_prose log_headings"
    )),
}  # fmt: skip
FEATURES = tuple(name for names in _GROUPS.values() for name in names)
_STARTS = dict(zip(_GROUPS, np.cumsum([0, *(len(names) for names in _GROUPS.values())]).tolist(), strict=False))
_OWN, _NAMES, _INSIDE, _REGIONS, _BEST = (_STARTS[name] for name in ("own", "names", "inside", "regions", "best"))
_TEMPLATE, _TITLE, _NEIGHBOURS, _AROUND, _PAGE = (
    _STARTS[name] for name in ("template", "title", "neighbours", "around", "page")
)
_PARTS, _PAGE_FEATURES = len(PARTS), len(_GROUPS["page"])
_STEPS = np.array(NEIGHBOURS, np.int64)
_TYPE_HASHES = np.array([name_hash(name) for names in _TYPES for name in names.split()], np.uint32)
_TYPE_KINDS = np.array([kind for kind, names in enumerate(_TYPES) for _ in names.split()], np.int64)
_ARTICLE, _MAIN, _INPUT, _IMG = (NUMBERS[name] for name in ("article", "main", "input", "img"))


def features(
    markup: Markup, tree: Tree, attributes: Attributes, blocks: Blocks, around: Surroundings, title: Bytes
) -> Floats:
    """The features of a page's blocks, float32 of (blocks, ``len(FEATURES)``)."""
    found = np.zeros((len(blocks), len(FEATURES)), np.float32)
    if not len(blocks):
        return found
    measures = blocks.measures
    holder = tree.block[blocks.element]
    groups = group_blocks(around.template[holder], measures)
    overlap, named = title_overlap(blocks, HEADING_LEVEL[tree.element[holder]], title)
    page = _page(len(markup.html), tree.element, holder, blocks.element, measures, attributes.types, around.parts,
                 around.regions, around.best, CATEGORY, _TYPE_HASHES, _TYPE_KINDS)  # fmt: skip
    _own(holder, tree.element, measures, ASCII, CATEGORY, HEADING_LEVEL, found)
    _surrounded(blocks.element, holder, tree.depth, around.names, around.parts, around.outer, found)
    _in_regions(holder, around.regions, around.first, around.last, around.outer, measures, found)
    _by_best(blocks.element, holder, tree.parent, around.regions, around.first, around.last, around.outer, around.prose,
             around.names, around.best, measures, found)  # fmt: skip
    _by_template(groups.number, groups.sums, measures, found)
    _by_title(tree.element, holder, CATEGORY, HEADING_LEVEL, overlap, named, found)
    _by_neighbours(tree.element, holder, around.outer, groups.number, HEADING_LEVEL, measures, _STEPS, found)
    _in_windows(measures, found)
    found[:, _PAGE:] = page
    return found


@inlined
def _log(value: float) -> float:
    """ln(1 + value), of what is not negative."""
    return natural_log(1.0 + value)  # type: ignore[no-any-return]


@kernel
def _own(
    holder: Places,
    element: Bytes,
    measures: npt.NDArray[np.int32],
    ascii_classes: Bytes,
    category: Places,
    level: Places,
    found: Floats,
) -> None:
    for number in range(len(holder)):
        x, m, what = found[number, _OWN:_NAMES], measures[number], element[holder[number]]
        width, words = float(m[WIDTH]), float(m[WORDS])
        x[0], x[1] = _log(width), min(width, 2000.0)
        x[2], x[3] = _log(width - m[IN_LINKS]), m[IN_LINKS] / (width + 1e-3)
        x[4], x[5] = words, width / (words + 1.0)
        x[6], x[7], x[8] = m[MARKS] / (width + 1), m[SENTENCES], m[SENTENCES] / (width + 1)
        x[9], x[10] = m[DIGITS] / (width + 1), m[CAPITALS] / (width + 1)
        x[11], x[12] = 2 * m[WIDES] / (width + 1), m[EMPHASISED] / (width + 1)
        x[13], x[14], x[15] = m[LINKS], m[BREAKS], m[IMAGES]
        x[16] = 2.0 if m[LAST] == 58 or m[LAST] == 0xFF1A else 1.0 if _ends(m[LAST], ascii_classes) else 0.0
        kind = class_of(m[FIRST], ascii_classes)
        x[17] = 1.0 if kind & CAPITAL else 2.0 if kind & DIGIT else 0.0
        x[18] = level[what]
        what = category[what]
        x[19], x[20], x[21] = what == PARAGRAPH, what == ITEM, what == CELL
        x[22], x[23] = what == DIVISION, what == 0


@kernel
def _ends(code: int, ascii_classes: Bytes) -> bool:
    """Whether a mark ends a sentence; commas and colons part it."""
    commas = code in (44, 58, 59, 0x3001, 0xFF0C, 0xFF1A, 0xFF1B, 0xFF64, 0x60C, 0x61B)
    return class_of(code, ascii_classes) & SENTENCE != 0 and not commas


@kernel
def _surrounded(
    begins: Places, holder: Places, depth: Places, names: Floats, parts: Places, outer: Places, found: Floats
) -> None:
    for number in range(len(begins)):
        one, block = begins[number], holder[number]
        x = found[number, _NAMES:_INSIDE]
        x[0] = names[one, OWN] + (names[block, OWN] if block != one else np.float32(0))
        x[1], x[2] = names[one, LEAST], names[one, MOST]
        x[3], x[4], x[5], x[6] = names[one, PATH], names[one, PATH_LEAST], names[one, PATH_MOST], names[one, FADING]
        x[7], x[8] = names[outer[block], FADING], names[outer[outer[block]], FADING]
        for bit in range(_PARTS):
            found[number, _INSIDE + bit] = (parts[one] >> bit) & 1
        found[number, _INSIDE + _PARTS] = depth[one]


@kernel
def _in_regions(
    holder: Places,
    regions: Floats,
    first: Places,
    last: Places,
    outer: Places,
    measures: npt.NDArray[np.int32],
    found: Floats,
) -> None:
    total = regions[0, TEXT]
    for number in range(len(holder)):
        one = holder[number]
        if regions[one, BLOCKS_IN] <= 1:
            one = outer[one]
        for level in range(LEVELS):
            x = found[number, _REGIONS + 8 * level : _REGIONS + 8 * level + 8]
            r = regions[one]
            text = float(r[TEXT])
            x[0], x[1], x[2] = _log(text), text / (total + 1.0), r[LINK_TEXT] / (text + 1.0)
            x[3], x[4] = _log(float(r[BLOCKS_IN])), 100.0 * r[SENTENCES_IN] / (text + 1.0)
            x[5] = (number - first[one]) / (last[one] - first[one] + 1.0)
            x[6], x[7] = r[PROSE_TEXT] / (text + 1.0), r[HEADINGS] / (r[BLOCKS_IN] + 1.0)
            one = outer[one]


@compiled
def _by_best(
    begins: Places,
    holder: Places,
    parent: Places,
    regions: Floats,
    first: Places,
    last: Places,
    outer: Places,
    prose: Floats,
    names: Floats,
    best: int,
    measures: npt.NDArray[np.int32],
    found: Floats,
) -> None:
    steps = np.full(len(parent), -1, np.int32)
    one, count = best, 0
    while True:
        steps[one] = count
        if one == 0:
            break
        one, count = outer[one], count + 1
    total, text = regions[0, TEXT], float(regions[best, TEXT])
    for number in range(len(holder)):
        one, down = holder[number], 0
        while steps[one] < 0:
            one, down = outer[one], down + 1
        x = found[number, _BEST:_TEMPLATE]
        x[0], x[1], x[2] = steps[one], down, _log(float(regions[one, TEXT])) - _log(text)
        x[3] = min(number - first[best], 0) + max(number - last[best], 0)
        x[4] = text / (total + 1.0)
        x[5] = _log(float(prose[parent[begins[number]]])) if begins[number] > 0 else 0.0
        x[6] = names[best, PATH]


@kernel
def _by_template(group: Places, sums: Floats, measures: npt.NDArray[np.int32], found: Floats) -> None:
    total = 0.0
    for number in range(len(group)):
        total += measures[number, WIDTH]
    for number in range(len(group)):
        x, s = found[number, _TEMPLATE:_TITLE], sums[group[number]]
        blocks, width = float(s[0]), float(s[1])
        x[0], x[1], x[2] = _log(blocks), _log(width), s[2] / (width + 1.0)
        x[3], x[4], x[5] = _log(width / blocks), width / (total + 1.0), (s[4] - s[3] + 1.0) / blocks


@kernel
def _by_title(
    element: Bytes, holder: Places, category: Places, level: Places, overlap: Floats, named: int, found: Floats
) -> None:
    """``named`` is the heading that is most like the page's title, −1 without one."""
    heading = -1
    for number in range(len(holder)):
        what = element[holder[number]]
        x = found[number, _TITLE:_NEIGHBOURS]
        x[0] = overlap[number]
        if named >= 0:
            x[1] = 1.0 if number > named else 0.5 if number == named else 0.0
            x[2] = number - named
        else:
            x[1] = -1.0
        x[4] = -1.0
        if heading >= 0:
            x[3], x[4] = found[heading, _NAMES + 6], number - heading
            x[5] = level[element[holder[heading]]]
        if category[what] == HEADING:
            heading = number


@kernel
def _by_neighbours(
    element: Bytes,
    holder: Places,
    outer: Places,
    group: Places,
    level: Places,
    measures: npt.NDArray[np.int32],
    steps: npt.NDArray[np.int64],
    found: Floats,
) -> None:
    count = len(holder)
    for number in range(count):
        for turn in range(len(steps)):
            x = found[number, _NEIGHBOURS + 5 * turn : _NEIGHBOURS + 5 * turn + 5]
            other = number + steps[turn]
            if other < 0 or other >= count:
                x[:] = -1.0
                continue
            width = float(measures[other, WIDTH])
            x[0], x[1] = found[other, _OWN], found[other, _OWN + 3]
            x[2], x[3] = 100.0 * measures[other, SENTENCES] / (width + 1.0), level[element[holder[other]]]
            beside = 0.5 if outer[holder[other]] == outer[holder[number]] else 0.0
            x[4] = 1.0 if group[other] == group[number] else beside


@compiled
def _in_windows(measures: npt.NDArray[np.int32], found: Floats) -> None:
    count = len(measures)
    sums = np.zeros((count + 1, 4))
    after = np.full(count + 1, count + FAR, np.int64)
    for number in range(count):
        m, prose = measures[number], is_prose(measures[number])
        sums[number + 1, 0] = sums[number, 0] + m[WIDTH]
        sums[number + 1, 1] = sums[number, 1] + m[IN_LINKS]
        sums[number + 1, 2] = sums[number, 2] + (m[WIDTH] - m[IN_LINKS] if prose else 0)
        sums[number + 1, 3] = sums[number, 3] + prose
    for number in range(count - 1, -1, -1):
        after[number] = number if is_prose(measures[number]) else after[number + 1]
    before = -FAR
    for number in range(count):
        x = found[number, _AROUND:_PAGE]
        for turn in range(2):
            reach = 5 if turn == 0 else 20
            low, high = max(0, number - reach), min(count, number + reach + 1)
            width = sums[high, 0] - sums[low, 0] + 1.0
            x[2 * turn] = (sums[high, 2] - sums[low, 2]) / width
            x[2 * turn + 1] = (sums[high, 1] - sums[low, 1]) / width
        x[4], x[5] = number / count, sums[number, 0] / (sums[count, 0] + 1.0)
        if after[number] == number:
            before = number
        x[6] = min(number - before, after[number] - number, FAR)
        x[7] = _log(sums[number, 3])


@compiled
def _page(
    size: int,
    element: Bytes,
    holder: Places,
    begins: Places,
    measures: npt.NDArray[np.int32],
    types: Hashes,
    parts: Places,
    regions: Floats,
    best: int,
    category: Places,
    type_hashes: Hashes,
    type_kinds: npt.NDArray[np.int64],
) -> Floats:
    page = np.zeros(_PAGE_FEATURES, np.float32)
    whole = regions[0]
    width = float(whole[TEXT]) + 1.0
    widest = 0.0
    by_category, code, cells = np.zeros(6), 0.0, 0.0
    for number in range(len(holder)):
        own = float(measures[number, WIDTH])
        by_category[category[element[holder[number]]]] += own
        widest = max(widest, own - measures[number, IN_LINKS])
        inside = parts[begins[number]]
        code += own if inside & CODE_PART else 0.0
        cells += own if inside & TABLE_PART else 0.0
    counted = np.zeros(4)
    for one in range(len(element)):
        what = element[one]
        counted[0] += what == _ARTICLE
        counted[1] += what == _MAIN
        counted[2] += what == _IMG
        counted[3] += what == _INPUT
    page[0], page[1], page[2] = _log(float(len(holder))), _log(width - 1.0), whole[LINK_TEXT] / width
    page[3], page[4], page[5] = 100.0 * whole[SENTENCES_IN] / width, by_category[PARAGRAPH] / width, _log(widest)
    page[6], page[7], page[8], page[9] = counted[0], counted[1], code / width, cells / width
    page[10], page[11], page[12] = by_category[ITEM] / width, _log(counted[2]), _log(counted[3])
    for one in types:
        for place in range(len(type_hashes)):
            if type_hashes[place] == one:
                page[13 + type_kinds[place]] += 1
    page[19], page[20] = _log(100.0 * (width - 1.0) / (size + 1.0)), whole[PROSE_TEXT] / width
    page[21], page[22], page[23] = regions[best, TEXT] / width, _log(float(whole[4])), _log(float(whole[HEADINGS]))
    return page
