"""Say which language a document is written in; keep the wanted ones."""

from typing import ClassVar

import pyarrow as pa
from pydantic.dataclasses import dataclass

from corpusforge.models.cache import Model
from corpusforge.models.language import LID_176, identify
from corpusforge.models.language_codes import Languages, Score
from corpusforge.stages import STRICT, put
from corpusforge.text.addresses import without_addresses


@dataclass(frozen=True, config=STRICT)
class Language:
    """Identify the language of the text; drop those not in ``keep`` and those under ``at_least``.

    ``keep`` empty keeps every language. ``lang_score`` has a resolution of 1/100, and the threshold compares that. A
    text without letters is ``und`` with score 0; addresses of links are not looked at. fastText lid.176 with script
    checks for Japanese, Korean, Chinese.
    """

    keep: Languages = ()
    at_least: Score = 0.0

    revision: ClassVar[int] = 2
    reads: ClassVar[tuple[str, ...]] = ("text",)
    writes: ClassVar[dict[str, pa.DataType]] = {
        "lang": pa.string(),
        "lang_score": pa.float32(),
        "drop": pa.string(),
    }
    built_on: ClassVar[tuple[str, ...]] = ("fasttext-community",)
    models: ClassVar[tuple[Model, ...]] = (LID_176,)

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        found = identify(without_addresses(text or "") for text in batch["text"].to_pylist())
        drop = [self._reason(lang, score) for lang, score in found]
        return put(self, batch, lang=[lang for lang, _ in found], lang_score=[score for _, score in found], drop=drop)

    def _reason(self, lang: str, score: float) -> str | None:
        if self.keep and lang not in self.keep:
            return "other_language"
        return "unsure" if score < self.at_least else None
