"""Write the demo's web archives and their truth; the same seed gives the same bytes."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from corpusforge.demo import odd
from corpusforge.demo.charsets import PLAIN
from corpusforge.demo.pages import Draft, plan
from corpusforge.demo.records import member, record, record_id, request, response, sha1
from corpusforge.demo.templates import Content, page
from corpusforge.demo.truth import UNSPACED, Page, Truth

FILES = ("demo-00000.warc.gz", "demo-00001.warc.gz", "demo-00002.warc.gz", "demo-00003.warc")
"""Triples of request, response and metadata; wire format, chunked and gzipped; revisits; plain with resources."""

Record = tuple[str, bytes]
"""WARC type and bytes of a record."""


def write(folder: str | Path, pages: int = 400, seed: int = 0) -> Truth:
    """Write ``pages`` pages as WARC files, and ``truth.json`` beside them, into ``folder`` (made if missing).

    Files of these names are replaced. Every record of a ``.gz`` file is a gzip member of its own.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    drafts = plan(pages, seed)
    urls = {d.number: d.site.url(1000 + d.number, 2012 + d.number % 13) for d in drafts}
    found: list[Page] = []
    counts: dict[str, dict[str, int]] = {}
    for index, name in enumerate(FILES):
        records: list[Record] = [("warcinfo", _warcinfo(name, seed))]
        for draft in drafts[index :: len(FILES)]:
            written = _page(draft, urls, name, seed)
            records += _records(index, draft, written, seed)
            found.append(written)
        data = (member(r) if name.endswith(".gz") else r for _, r in records)
        (folder / name).write_bytes(b"".join(data))
        counts[name] = dict(sorted(Counter(kind for kind, _ in records).items()))
    truth = Truth(seed, tuple(found), counts)
    (folder / "truth.json").write_bytes(truth.to_bytes())
    return truth


def _page(draft: Draft, urls: dict[int, str], file: str, seed: int) -> Page:
    return Page(
        url=urls[draft.number],
        record_id=record_id(seed, draft.number, "response"),
        file=file,
        site=draft.site.name,
        lang=draft.lang,
        kind=draft.kind,
        topic=draft.topic,
        title=draft.title,
        body=draft.body,
        noise=tuple(text for _, _, text in draft.noise),
        private=draft.private,
        lookalikes=draft.lookalikes,
        charset=draft.case.charset,
        declared="" if draft.case is PLAIN else draft.case.declared(),
        group=draft.group,
        copy=draft.copy,
        copy_of=None if draft.origin is None else urls[draft.origin],
        twin_of=None if draft.twin is None else urls[draft.twin],
    )


def payload_of(draft: Draft, seed: int) -> odd.Odd:
    """Payload, content type and status of a page."""
    if draft.kind != "article":
        return odd.KINDS[draft.kind](draft.site, Random(f"{seed}/odd/{draft.number}"))
    join = "" if draft.lang in UNSPACED else " "
    lines: list[tuple[str, str]] = []
    for n, sentences in enumerate(draft.body):
        lines.append(("", join.join(sentences)))
        lines += [(kind, text) for after, kind, text in draft.noise if after == n]
    content = Content(draft.lang, draft.topic, draft.title, tuple(lines), f"{seed}/page/{draft.number}")
    case = draft.case
    # What a charset lacks stands as a character reference, as editors write it.
    html = page(draft.site, content, case.meta).encode(case.charset, "xmlcharrefreplace")
    return case.bom + html, f"text/html; charset={case.header}" if case.header else "text/html", 200


def _records(index: int, draft: Draft, written: Page, seed: int) -> Iterator[Record]:
    payload, content_type, status = payload_of(draft, seed)
    number, target = draft.number, {"WARC-Target-URI": written.url}
    http = {**target, "Content-Type": "application/http; msgtype=response", "WARC-Payload-Digest": sha1(payload)}
    if index == 3 and number % 3 == 0 and draft.case is PLAIN and status == 200:
        headers = {**target, "Content-Type": content_type}
        yield "resource", record("resource", written.record_id, number, payload, headers)
        return
    if index == 0:
        yield _request(number, written, target, seed)
    block = response(payload, content_type, status, chunked=index == 1, gzipped=index == 1 and number % 2 == 0)
    yield "response", record("response", written.record_id, number, block, http)
    if index == 0:
        about = {**target, "WARC-Refers-To": written.record_id, "Content-Type": "application/warc-fields"}
        fields = f"fetchTimeMs: {80 + number % 700}\r\n".encode()
        yield "metadata", record("metadata", record_id(seed, number, "metadata"), number, fields, about)
    if index == 2 and number % 6 == 0:
        yield _revisit(number, written, http, seed)


def _request(number: int, written: Page, target: dict[str, str], seed: int) -> Record:
    split = urlsplit(written.url)
    path = split.path + (f"?{split.query}" if split.query else "")
    headers = {**target, "Content-Type": "application/http; msgtype=request"}
    block = request(split.netloc, path)
    return "request", record("request", record_id(seed, number, "request"), number, block, headers)


def _revisit(number: int, written: Page, http: dict[str, str], seed: int) -> Record:
    profile = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
    headers = {**http, "WARC-Profile": profile, "WARC-Refers-To": written.record_id}
    block = b"HTTP/1.1 304 Not Modified\r\nServer: demo\r\n\r\n"
    return "revisit", record("revisit", record_id(seed, number, "revisit"), number, block, headers)


def _warcinfo(name: str, seed: int) -> bytes:
    fields = b"software: corpusforge demo\r\nformat: WARC File Format 1.1\r\n"
    headers = {"WARC-Filename": name, "Content-Type": "application/warc-fields"}
    return record("warcinfo", record_id(seed, name, "warcinfo"), 0, fields, headers)
