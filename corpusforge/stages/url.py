"""Drop documents by their address alone, before anything dear is done to them."""

from typing import ClassVar
from urllib.parse import urlsplit

import pyarrow as pa
from pydantic.dataclasses import dataclass

from corpusforge.stages import STRICT, put

_NOT_PAGES = (
    "7z apk avi avif bin bmp bz2 css csv deb dmg doc docx eot epub exe flv gif gz ico ics iso jar jpeg jpg m4a "
    "m4v mid mkv mov mp3 mp4 mpeg mpg msi odp ods odt ogg otf pdf png ppt pptx rar rpm rss svg swf tar tgz tif "
    "tiff ttf wav webm webp wma wmv woff woff2 xls xlsx xz zip"
)
NOT_PAGES = tuple(_NOT_PAGES.split())
"""File endings that never name a page of text."""

_NO_CONTENT = (
    "login logout signin sign-in signout signup sign-up register cart basket checkout wishlist wp-login.php "
    "wp-admin search"
)
NO_CONTENT = tuple(_NO_CONTENT.split())
"""Path segments whose pages are forms or lists of links: the segment must be the last one."""


@dataclass(frozen=True, config=STRICT)
class UrlRules:
    """Drop documents whose URL is not http(s), too long, blocked, or names no page; a document without one stays.

    ``blocked`` are domains: each stands for itself and every host below it, so ``example.com`` blocks
    ``www.example.com`` and not ``myexample.com``. ``no_content`` are last path segments, ``not_pages`` file endings.
    """

    blocked: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ("http", "https")
    most_characters: int = 2048
    not_pages: tuple[str, ...] = NOT_PAGES
    no_content: tuple[str, ...] = NO_CONTENT

    revision: ClassVar[int] = 1
    reads: ClassVar[tuple[str, ...]] = ("url",)
    writes: ClassVar[dict[str, pa.DataType]] = {"drop": pa.string()}

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        blocked = frozenset(domain.lower().strip(".") for domain in self.blocked)
        return put(self, batch, drop=[self._reason(url, blocked) if url else None for url in batch["url"].to_pylist()])

    def _reason(self, url: str, blocked: frozenset[str]) -> str | None:
        if len(url) > self.most_characters:
            return "too_long"
        try:
            parts = urlsplit(url)
            host = (parts.hostname or "").rstrip(".")
        except ValueError:
            return "malformed"
        if parts.scheme not in self.schemes:
            return "scheme"
        if not host:
            return "malformed"
        if blocked and not blocked.isdisjoint(_domains(host)):
            return "blocked_host"
        last = parts.path.rstrip("/").rpartition("/")[2].lower()
        if "." in last and last.rpartition(".")[2] in self.not_pages:
            return "not_a_page"
        return "no_content" if last in self.no_content else None


def _domains(host: str) -> list[str]:
    """The host and every domain above it: ``a.b.c``, ``b.c``, ``c``."""
    labels = host.split(".")
    return [".".join(labels[i:]) for i in range(len(labels))]
