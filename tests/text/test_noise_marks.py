"""Lines that the compiled pass calls quiet are no noise, and its marks are what a plain search finds."""

import json
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from corpusforge.text import noise_marks
from corpusforge.text.noise import NONE, level_of
from corpusforge.text.noise_marks import line_marks
from corpusforge.text.noise_words import COOKIES, WORDS, fold, words_of

TABLE = json.loads(WORDS.read_text("utf-8"))
LANGS = (*TABLE, None)
PHRASES = sorted({phrase for lists in TABLE.values() for phrases in lists.values() for phrase in phrases})
OTHERS = (
    "the",
    "猫",
    "и",
    "$5",
    "©",
    "copyright",
    "(c) 2020",
    "★",
    "#tag",
    "«",
    "cookies",
    "...",
    "(12)",
    "7",
    "|",
    ":",
)
JOINS = st.sampled_from((" ", " ", " | ", " / ", "、", " > ", " - ", "  ", ": ", ", ", ""))
LINES = (
    st.lists(st.tuples(st.sampled_from(PHRASES) | st.sampled_from(OTHERS), JOINS), max_size=7)
    .map(lambda parts: "".join(piece for part in parts for piece in part))
    .map(lambda line: fold(line).strip())
)


@cache
def phrases(lang: str | None, name: str) -> tuple[str, ...]:
    chosen = [TABLE[lang], TABLE["en"]] if lang in TABLE else list(TABLE.values())
    return tuple(dict.fromkeys(fold(word) for lists in chosen for word in lists[name]))


@given(st.lists(LINES, min_size=1, max_size=5), st.sampled_from(LANGS))
@settings(max_examples=300)
def test_a_quiet_line_is_no_noise(lines: list[str], lang: str | None) -> None:
    words = words_of(lang)
    marks = line_marks("\n".join(lines), len(lines), words.index)
    for line, loud, bits, inside in zip(lines, marks.loud, marks.bits, marks.inside, strict=True):
        assert loud or level_of(line, None, int(bits), int(inside), words) == NONE


@given(LINES.filter(lambda line: 0 < len(line) <= 2 * noise_marks.SHORT), st.sampled_from(LANGS))
@settings(max_examples=300)
def test_marks_are_what_a_search_finds(line: str, lang: str | None) -> None:
    marks = line_marks(line, 1, words_of(lang).index)
    if line[0] == "|":
        assert not marks.loud[0]
        return
    found = {
        noise_marks.ADS: line.startswith(phrases(lang, "ads")),
        noise_marks.LABEL: line.startswith(phrases(lang, "labels")),
        noise_marks.CATEGORY: line.startswith(phrases(lang, "category")),
        noise_marks.END: line.endswith(phrases(lang, "ends")),
        noise_marks.ACCOUNT: any(phrase in line for phrase in phrases(lang, "account")),
        noise_marks.VISITOR: any(phrase in line for phrase in phrases(lang, "visitor")),
        noise_marks.SITE: any(phrase in line for phrase in phrases(lang, "site")),
        noise_marks.COOKIE: any(word in line for word in COOKIES),
    }
    assert {bit: bool(marks.bits[0] & bit) for bit in found} == found
    inside = [len(phrase) for phrase in phrases(lang, "inside") if phrase in line]
    assert int(marks.inside[0]) == max(inside, default=0)


def test_prose_is_quiet() -> None:
    lines = [
        "The camellia in our garden bloomed again, so I sent my grandmother a photo.",
        "庭の椿が今年も赤い花をつけたので、祖母に写真を送った。",
        "",
        "A walk by the river in early spring",
    ]
    assert not line_marks("\n".join(lines).lower(), len(lines), words_of("en").index).loud.any()
