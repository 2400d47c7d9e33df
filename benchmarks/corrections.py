"""Truths whose selector takes too much or too little, taken anew from their pages by another selector.

``corrections.jsonl`` has a row for a page (``url``) or for all pages of a site (``site``, as the set names it): the
``selector`` of the main text, what of it is ``removed``, and ``why``. It holds no text of any page.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resiliparse.parse.html import DOMNode, HTMLTree, NodeType

CORRECTIONS = Path(__file__).with_suffix(".jsonl")
_LINES = """
address article aside blockquote body br caption center dd details dialog dir div dl dt fieldset figcaption figure
footer form h1 h2 h3 h4 h5 h6 header hgroup hr li main menu nav ol option p pre section summary table tbody td tfoot
th thead tr ul
"""
BLOCKS = frozenset(_LINES.split())
"""Elements that are lines of their own. So all 1,182 truths by site come out of their own selectors again, F1 1.000."""
NO_TEXT = frozenset(("script", "style", "noscript", "template", "head", "svg", "iframe"))


@dataclass(frozen=True)
class Correction:
    """The selector of a page's main text and those of what in it is none."""

    selector: str
    removed: tuple[str, ...]


def read_corrections(path: Path = CORRECTIONS) -> dict[str, Correction]:
    """Corrections by the url of a page or the name of a site."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {row.get("url") or row["site"]: Correction(row["selector"], tuple(row["removed"])) for row in rows}


def corrected(row: Mapping[str, Any], html: bytes, corrections: Mapping[str, Correction]) -> str | None:
    """The main text of a page of UTF-8 by its correction or that of its site; ``None`` where it needs none."""
    correction = corrections.get(row["url"]) or corrections.get(row.get("site", ""))
    if correction is None:
        return None
    text = text_of(html, correction.selector, correction.removed)
    if not text:
        raise ValueError(f"{row['url']} has no text at {correction.selector!r}: give its row in {CORRECTIONS} another")
    return text


def text_of(html: bytes, selector: str, removed: tuple[str, ...] = ()) -> str:
    """The text of the elements that a CSS selector finds, without those that others find in them, removed in turn.

    None of those found may be in another, or its text comes twice.
    """
    document = HTMLTree.parse_from_bytes(html, "utf-8").document
    if document is None:
        return ""
    for unwanted in removed:
        for node in document.query_selector_all(unwanted):
            # A node inside one that is gone already has no parent left to leave.
            if node.parent is not None:
                node.decompose()
    parts: list[str] = []
    for node in document.query_selector_all(selector):
        _collect(node, parts)
    lines = [" ".join(line.split()) for line in "".join(parts).split("\n")]
    return "\n".join(line for line in lines if line)


def _collect(node: DOMNode, parts: list[str]) -> None:
    if node.type == NodeType.TEXT:
        parts.append(node.text or "")
    elif node.type == NodeType.ELEMENT and node.tag not in NO_TEXT:
        edge = "\n" if node.tag in BLOCKS else ""
        parts.append(edge)
        for child in node.child_nodes:
            _collect(child, parts)
        parts.append(edge)
