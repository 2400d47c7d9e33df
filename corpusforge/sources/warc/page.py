"""What a record gives: a page, or the reason why it gives none."""

from dataclasses import dataclass

from corpusforge.sources.warc.framing import Record
from corpusforge.text.canonical import sha256
from corpusforge.text.charset import decide
from corpusforge.text.http import Message, decoded, is_html, message_of


@dataclass(frozen=True)
class Page:
    """One HTML page of an archive; ``html`` is UTF-8, empty where ``drop`` says that the payload was not to be had."""

    id: str
    url: str | None
    date: str | None
    html: bytes
    charset: str | None
    charset_by: str | None
    charset_score: float | None
    drop: str | None


def page_of(record: Record, payload_bytes: int) -> Page | str:
    """The page in a record, else why there is none: ``not_content``, ``http_status`` or ``not_html``."""
    kind = (record.fields.first("warc-type") or "").lower()
    if kind not in ("response", "resource"):
        return "not_content"
    message = Message(200, record.fields, record.block) if kind == "resource" else _response(record)
    if message.status != 200:
        return "http_status"
    body = decoded(message, payload_bytes) if kind == "response" else None
    data = record.block if body is None else body.data
    problem = None if body is None else body.problem
    if len(record.block) < record.size or len(data) > payload_bytes:
        problem = "too_large"
    identified = record.fields.first("warc-identified-payload-type")
    if not is_html(identified, message.fields.all("content-type"), data):
        return "not_html"
    return _page(record, message, data, problem)


def _response(record: Record) -> Message:
    """A response with a type of its own, as DNS answers have, holds no HTTP message."""
    declared = (record.fields.first("content-type") or "application/http").lower()
    if declared.startswith("application/http"):
        return message_of(record.block)
    return Message(200, record.fields, record.block)


def _page(record: Record, message: Message, data: bytes, problem: str | None) -> Page:
    url = (record.fields.first("warc-target-uri") or "").strip("<> ") or None
    date = record.fields.first("warc-date")
    identity = _identity(record, url, data)
    if problem is not None:
        return Page(identity, url, date, b"", None, None, None, f"source.{problem}")
    decision = decide(data, label_of(message.fields.all("content-type")))
    drop = "source.doubtful_charset" if decision.doubtful else None
    return Page(identity, url, date, decision.utf8, decision.charset, decision.by, decision.score, drop)


def _identity(record: Record, url: str | None, data: bytes) -> str:
    """32 hex digits: of the record's own name, else of address and content."""
    name = record.fields.first("warc-record-id") or f"{url}\n{sha256(data)}"
    return sha256(name.encode())[:32]


def label_of(declared: list[str]) -> str | None:
    """The charset parameter of the first Content-Type that has one."""
    for value in declared:
        for parameter in value.split(";")[1:]:
            name, _, label = parameter.partition("=")
            if name.strip().lower() == "charset" and label.strip():
                return label.strip()
    return None
