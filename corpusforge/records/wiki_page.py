"""What the head of a MediaWiki dump says of its wiki, and what the XML of a page says of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from corpusforge.records.dumps import HEAD_BYTES, Found, Piece
from corpusforge.text.wikitext import FILES

TAGS = 50_000
"""Tags of a page: a current one has about 20, each revision more adds about 15."""
SHOWS_NOTHING = ("-2", "6", "14")
"""Numbers of the namespaces of media, files and categories."""
WORDS = (
    "redirect|転送|リダイレクト|重定向|넘겨주기|перенаправление|weiterleitung|redirection|redirección|redireccionamento|"
    "rinvia|doorverwijzing|patrz|przekieruj|yönlendirme|đổi|تحويل|omdirigering"
)
REDIRECT = re.compile(rf"\s*#\s*(?:{WORDS})\s*:?\s*\[\[", re.IGNORECASE)
"""Old dumps say it in the text only."""


@dataclass(frozen=True)
class Site:
    """A wiki: the address of its main page, its language, names of namespaces whose links show no text."""

    base: str | None
    lang: str
    hidden: frozenset[str]

    def url_of(self, title: str) -> str | None:
        """The address of a page: the main page's, with another title."""
        if not self.base:
            return None
        before, sign, _ = self.base.rpartition("title=")
        if not sign:
            before, sign, _ = self.base.rpartition("/")
        return before + sign + quote(title.replace(" ", "_"), safe=";@$!*(),/~:-._")


@dataclass(frozen=True)
class Page:
    """One page, with the newest of the revisions that the dump has of it."""

    title: str
    namespace: int
    number: int | None
    revision: int | None
    date: str | None
    model: str | None
    text: str
    redirect: bool


def site_of(pieces: Iterator[Piece]) -> Site:
    """What stands before the first page; nothing is known where it is damaged."""
    head = b""
    for piece in pieces:
        head += piece.data
        if b"<page>" in head or len(head) > HEAD_BYTES:
            break
    head = head[:HEAD_BYTES]
    lang = re.search(rb'<mediawiki[^>]*\sxml:lang="([^"]*)"', head)
    info = re.search(rb"<siteinfo>.*?</siteinfo>", head, re.DOTALL)
    hidden, base = set(FILES.split()), None
    try:
        tree = ElementTree.fromstring(info[0]) if info else None
    except ElementTree.ParseError:
        tree = None
    if tree is not None:
        base = tree.findtext("base")
        names = (e.text or "" for e in tree.iter("namespace") if e.get("key") in SHOWS_NOTHING)
        hidden |= {name.replace("_", " ").lower() for name in names if name}
    return Site(base, lang[1].decode("utf-8", "replace").lower() if lang else "", frozenset(hidden))


def page_of(found: Found) -> Page | None:
    """What a page's XML says, of a page that is cut at the limit what comes before its text; None if it is broken."""
    if found.xml.count(b"<") > TAGS:
        return None
    try:
        root = ElementTree.fromstring(found.xml) if found.reason is None else _begun(found.xml)
    except ElementTree.ParseError:
        return None
    revisions = root.findall("revision")
    newest = revisions[-1] if revisions else root
    text = newest.findtext("text") or ""
    title, namespace = root.findtext("title"), root.findtext("ns") or "0"
    if title is None or not re.fullmatch(r"-?\d{1,9}", namespace):
        return None
    return Page(
        title=title,
        namespace=int(namespace),
        number=_number(root.findtext("id")),
        revision=_number(newest.findtext("id")) if revisions else None,
        date=newest.findtext("timestamp"),
        model=newest.findtext("model"),
        text=text,
        redirect=root.find("redirect") is not None or bool(REDIRECT.match(text)),
    )


def _begun(xml: bytes) -> ElementTree.Element:
    """The elements of a page that is cut, as far as they go."""
    parser: Any = ElementTree.XMLPullParser(("start",))
    parser.feed(xml)
    root: ElementTree.Element = next(iter(parser.read_events()))[1]
    return root


def _number(value: str | None) -> int | None:
    return int(value) if value and re.fullmatch(r"\d{1,18}", value) else None
