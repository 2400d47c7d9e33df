"""Language of a text: fastText's lid.176, with the scripts as a check on its well-known errors."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import fasttext

from corpusforge.models.cache import Model, load
from corpusforge.models.language_codes import UNDETERMINED
from corpusforge.text.scripts import Scripts, scripts

LID_176 = Model(
    name="lid.176.ftz",
    sha256="8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83",
    path="lid.176.ftz",
    package="corpusforge.models",
)
"""Joulin et al. 2016, *Bag of Tricks for Efficient Text Classification*; CC BY-SA 3.0, see lid.176.LICENCE.md."""

MOST_CHARACTERS = 3000
GLANCES, GLANCE_CHARACTERS, GLANCE_SCORE = 4, 250, 0.9
"""A third of that, in pieces spread over it, is enough where the model is so sure of them, as of 8 in 10 texts."""
SCRIPT_SHARE = 0.3
"""From this share of all letters on, hangul means Korean, and kana with Chinese characters are judged by the kana."""
JAPANESE_KANA = 0.1
"""Share of kana in kana and Chinese characters: Japanese prose has .4 to .7, titles and lists over .1; Chinese text
that quotes Japanese names stays far below."""

CHINESE_HAN = 20
"""So many Chinese characters without one kana are not Japanese, whatever the model says; fewer may be a heading."""
CHINESE = ("zh", "yue", "wuu")
SCRIPTS_OF = {"ja": ("hiragana", "katakana", "han"), "ko": ("hangul",)}


def _open(path: Path) -> Any:
    return fasttext.load_model(str(path))


def predict(text: str, most: int = 1) -> list[tuple[str, float]]:
    """What the model says of a text, best first, scores rounded to 1/100; the whole text counts as one line."""
    # The C++ method: the Python wrapper around it makes an array of a list, which numpy 2 forbids with copy=False in
    # some builds. A line end must stand last and nowhere else, for the model reads one line. Capitals are folded: the
    # model learnt little from them (lid-gold: .9942 with, .9937 without; titles in capitals gain more).
    line = " ".join(text.lower().split()).replace("\x00", " ")
    found = load(LID_176, _open).f.predict(line + "\n", most, 0.0, "strict")
    return [(label.removeprefix("__label__"), round(min(score, 1.0), 2)) for score, label in found]


def by_script(seen: Scripts) -> str:
    """The language that the scripts alone decide, else ``""``."""
    if seen.share("hangul") >= SCRIPT_SHARE:
        return "ko"
    if seen.share("hiragana", "katakana", "han") < SCRIPT_SHARE:
        return ""
    return "ja" if seen.kana >= JAPANESE_KANA * (seen.kana + seen.han) else ""


def sample(text: str, most: int = MOST_CHARACTERS) -> str:
    """At most ``most`` characters, one half from the start and one from the middle: a page may open in English."""
    if len(text) <= most:
        return text
    half, middle = most // 2, max(len(text) // 2, most // 2)
    return f"{text[:half]} {text[middle : middle + half]}"


def _glance(part: str) -> str:
    """Pieces spread evenly over a part of a text, so that a second language in it is seen."""
    step = (len(part) - GLANCE_CHARACTERS) // (GLANCES - 1)
    if step <= GLANCE_CHARACTERS:
        return part
    return " ".join(part[n * step : n * step + GLANCE_CHARACTERS] for n in range(GLANCES))


def identify_one(text: str) -> tuple[str, float]:
    """Language (ISO 639, as lid.176 names it) and score of one text."""
    part = sample(text)
    seen = scripts(part)
    if not seen.letters:
        return UNDETERMINED, 0.0
    sure = by_script(seen)
    if sure:
        return sure, max(_score(predict(part, most=5), sure), round(seen.share(*SCRIPTS_OF[sure]), 2))
    best = predict(_glance(part))[0]
    if best[1] < GLANCE_SCORE:
        best = predict(part)[0]
    no_kana = seen.han >= CHINESE_HAN and not seen.kana and seen.share("han") >= SCRIPT_SHARE
    if no_kana and best[0] not in CHINESE:
        return "zh", max(_score(predict(part, most=5), "zh", "ja"), round(seen.share("han"), 2))
    return best


def _score(found: Sequence[tuple[str, float]], *langs: str) -> float:
    return round(min(1.0, sum(score for lang, score in found if lang in langs)), 2)


def identify(texts: Iterable[str]) -> list[tuple[str, float]]:
    """Language and score of each text; scores have a resolution of 1/100."""
    return [identify_one(text) for text in texts]
