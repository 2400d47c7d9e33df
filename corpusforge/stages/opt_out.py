"""Leave out pages whose authors reserve them from use for language models."""

from typing import ClassVar, Literal

import pyarrow as pa
from pydantic.dataclasses import dataclass

from corpusforge.stages import STRICT, put
from corpusforge.text.html import metas

HEAD_BYTES = 1 << 17
"""Bytes in which the tags are looked for; large heads carry styles before them."""

Signal = Literal["noai", "noimageai", "noml", "noindex", "noarchive", "none", "tdm-reservation"]


@dataclass(frozen=True, config=STRICT)
class OptOut:
    """Drop pages that carry one of ``signals`` in a ``<meta>`` tag.

    ``tdm-reservation`` with content 1 is the W3C community's TDM Reservation Protocol; ``noai`` and ``noml`` are words
    of ``robots``. ``noindex``, ``none`` and ``noarchive`` speak of search engines and are no default. A name other than
    ``robots`` counts if it is one of ``crawlers``. Reasons are the signals. The header ``X-Robots-Tag`` is not seen:
    sources hand on the page alone.
    """

    signals: tuple[Signal, ...] = ("noai", "noml", "tdm-reservation")
    crawlers: tuple[str, ...] = ("ccbot", "gptbot", "google-extended")

    revision: ClassVar[int] = 1
    reads: ClassVar[tuple[str, ...]] = ("html",)
    writes: ClassVar[dict[str, pa.DataType]] = {"drop": pa.string()}

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        return put(self, batch, drop=[self._reason(html or b"") for html in batch["html"].to_pylist()])

    def _reason(self, html: bytes) -> str | None:
        head = html[:HEAD_BYTES].lower()
        if not any(signal.encode() in head for signal in self.signals):
            return None
        for name, content in metas(html, HEAD_BYTES):
            if name == "tdm-reservation" and content == "1" and name in self.signals:
                return name
            if name == "robots" or name in self.crawlers:
                words = content.replace(",", " ").split()
                found = next((signal for signal in self.signals if signal in words), None)
                if found is not None:
                    return found
        return None
