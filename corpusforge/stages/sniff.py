"""Guess a page's language before extraction, and spare extraction the pages that are surely in another one."""

import re
from typing import ClassVar

import pyarrow as pa
from pydantic.dataclasses import dataclass

from corpusforge.models.cache import Model
from corpusforge.models.language import LID_176, SCRIPTS_OF, by_script, predict
from corpusforge.models.language_codes import UNDETERMINED, Languages, Score
from corpusforge.stages import STRICT, put
from corpusforge.text.html import declared_languages, title_of, visible_text
from corpusforge.text.scripts import Scripts, holds, scripts

WINDOW = 320
"""Characters of one window; fastText needs about 0.1 ms for it."""
NEEDED = {
    "ja": ("hiragana", "katakana"),
    "ko": ("hangul",),
    "zh": ("han",),
    "yue": ("han",),
    "wuu": ("han",),
    "th": ("thai",),
}
"""Scripts without which hardly any text is written in a language, none of them with characters that HTML has names for.
A page of kanji alone (a list of addresses) is judged as Chinese later on, too."""
_SOMETHING = re.compile(rb"\S")


@dataclass(frozen=True, config=STRICT)
class LanguageSniff:
    """Guess the language from the tag-stripped page; drop pages in which no language of ``keep`` is plausible.

    A page that holds no letter of what the kept languages are written in, tags, attributes and scripts included, is
    dropped as ``other_script``, its language ``und``: kana for Japanese, hangul for Korean, Han for Chinese, Thai
    letters for Thai; where another language is kept as well, there is no such test. Of the rest, the text between the
    tags is read in ``windows`` windows spread over the page, so that an English frame does not hide a Japanese article.
    A kept language is plausible if the model gives it ``plausible`` in one window or in the title, if its script is
    there (10 kana, 10 hangul), or if the page declares it and the script does not speak against it and the model is not
    sure of another one in every window; else the reason is ``other_language``. A page of these with under ``letters``
    letters is not dropped: its text may be in a script. ``keep`` empty keeps every language.
    """

    keep: Languages = ()
    windows: int = 4
    plausible: Score = 0.1
    sure: Score = 0.8
    letters: int = 200
    text_bytes: int = 65536

    revision: ClassVar[int] = 2
    reads: ClassVar[tuple[str, ...]] = ("html",)
    writes: ClassVar[dict[str, pa.DataType]] = {
        "sniff_lang": pa.string(),
        "sniff_score": pa.float32(),
        "drop": pa.string(),
    }
    built_on: ClassVar[tuple[str, ...]] = ("fasttext-community",)
    models: ClassVar[tuple[Model, ...]] = (LID_176,)

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        needed = [NEEDED.get(lang, ()) for lang in self.keep]
        wanted = tuple(name for names in needed for name in names) if all(needed) else ()
        # Pages are looked at where they lie: most are dropped by a glance, which is cheaper than to copy them.
        rows = [self._sniff(memoryview(html.as_buffer() or b""), wanted) for html in batch["html"]]
        langs, scores, drop = zip(*rows, strict=True) if rows else ((), (), ())
        return put(self, batch, sniff_lang=list(langs), sniff_score=list(scores), drop=list(drop))

    def _sniff(self, page: memoryview, wanted: tuple[str, ...]) -> tuple[str, float, str | None]:
        if wanted and _SOMETHING.search(page) and not holds(page, wanted):
            return UNDETERMINED, 0.0, "other_script"
        html = page.tobytes()
        text = visible_text(html, self.text_bytes)
        seen = scripts(text)
        if not seen.letters:
            return UNDETERMINED, 0.0, None
        sure = by_script(seen)
        if sure and (not self.keep or sure in self.keep):
            return sure, round(seen.share(*SCRIPTS_OF[sure]), 2), None
        found = [predict(window, most=5) for window in self._windows(text)]
        lang, score = _best(found, sure)
        if not self.keep or lang in self.keep or seen.letters < self.letters or self._is_plausible(html, seen, found):
            return lang, score, None
        return lang, score, "other_language"

    def _windows(self, text: str) -> list[str]:
        step = max((len(text) - WINDOW) // max(self.windows - 1, 1), WINDOW)
        return [text[at : at + WINDOW] for at in range(0, max(len(text) - WINDOW // 2, 1), step)]

    def _is_plausible(self, html: bytes, seen: Scripts, found: list[list[tuple[str, float]]]) -> bool:
        """Whether anything speaks for a kept language."""
        title = title_of(html)
        views = [*found, predict(title, most=5)] if scripts(title).letters else found
        if any(lang in self.keep and score >= self.plausible for view in views for lang, score in view):
            return True
        in_title = scripts(title)
        if "ja" in self.keep and (seen.kana >= 10 or in_title.kana >= 2):
            return True
        if "ko" in self.keep and (seen.hangul >= 10 or in_title.hangul >= 2):
            return True
        if all(view[0][1] >= self.sure for view in found):
            return False
        return any(lang in self.keep and _may_be(lang, seen) for lang in declared_languages(html))


def _may_be(lang: str, seen: Scripts) -> bool:
    """Whether the scripts allow the declared language; only those with a script of their own can be refuted."""
    needed = {**NEEDED, "ru": ("cyrillic",)}.get(lang)
    return needed is None or any(seen.of(name) for name in needed)


def _best(found: list[list[tuple[str, float]]], sure: str) -> tuple[str, float]:
    """The language of the page: by its scripts, else by the sum of the windows; mean score, resolution 1/100."""
    totals: dict[str, int] = {}
    for view in found:
        for lang, score in view:
            totals[lang] = totals.get(lang, 0) + round(100 * score)
    if sure:
        return sure, round(max(totals.get(sure, 0), 50 * len(found)) / (100 * len(found)), 2)
    lang = min(totals, key=lambda name: (-totals[name], name))
    return lang, round(totals[lang] / (100 * len(found)), 2)
