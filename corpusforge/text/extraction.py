"""Trafilatura's text of a page, without the work that cannot change it.

``trafilatura.extract`` copies the tree five times, prunes it by regular expressions on every element, and always runs
readability to compare. Here its own steps are called in its own order, and those are left out that provably do nothing:
pruning by class names that no element has; readability where no text it could find is long enough to be chosen.
What cannot be proved, and every version but those in ``KNOWN``, goes to ``trafilatura.extract``: no text is another.
"""

import re
from copy import copy
from typing import Any

import trafilatura
from lxml import etree
from lxml.html import HtmlElement
from trafilatura.baseline import baseline, html2txt
from trafilatura.core import (
    ESCALATION_ACCEPT_RATIO,
    ESCALATION_JUSTEXT_RATIO,
    ESCALATION_MAX_LENGTH,
    ESCALATION_PAGE_SHARE,
    determine_returnstring,
)
from trafilatura.external import compare_extraction, justext_rescue
from trafilatura.htmlprocessing import convert_tags, prune_unwanted_nodes, tree_cleaning
from trafilatura.main_extractor import extract_content
from trafilatura.settings import Document, Extractor
from trafilatura.xml import delete_element
from trafilatura.xpaths import (
    OVERALL_DISCARD_XPATH,
    RAW_TREE_PRUNE_XPATH,
    REMOVE_COMMENTS_AND_LISTS_XPATH,
    REMOVE_COMMENTS_XPATH,
)

KNOWN = ("2.3.1",)
"""Versions whose steps were read and compared."""
FORUM = b"DiscussionForumPosting"
"""Pages with this word may be threads, whose posts are content: trafilatura treats them apart."""
_RESULT = "body p head list item quote code lb table row cell hi del ref div span"
CLEAN = frozenset(_RESULT.split())
"""What trafilatura's own result may hold without being called unclean, which would bring in justext."""
VIDEO = 5
"""Characters readability writes for a film."""

TOLD_APART = frozenset(("div", "item", "list", "p", "section", "span"))
ASKED = ("id", "class", "style", "role", "aria-hidden", "data-lp-replacement-content", "data-component")
"""Names and attributes that ``OVERALL_DISCARD_XPATH`` asks for."""

_WITH_ATTRIBUTES = etree.XPath(f".//*[{' or '.join('@' + name for name in ASKED)}]")
_CLASSES = etree.XPath("//@class", smart_strings=False)
_IDS = etree.XPath("//@id", smart_strings=False)
_COMMENTS = re.compile("^[Cc]omment|^(?:comol|disqus_thread|dsq-comments)|(?:article|post)-comments", re.MULTILINE)
_APPENDED = re.compile("mvp-post-add|infinite-?scroll|elementor-share-buttons")


def text_of(tree: HtmlElement, html: bytes, options: Extractor, compare_below: int | None = None) -> str | None:
    """Trafilatura's text of a parsed page, which stays as it is; ``html`` are the bytes it was parsed from.

    A text of its own of ``compare_below`` characters and more is not compared with those of readability and justext.
    """
    if trafilatura.__version__ in KNOWN and FORUM not in html:
        body = _undisturbed(tree, options, compare_below)
        if body is not None:
            text: str = determine_returnstring(Document(body=body, commentsbody=etree.Element("body")), options)
            return text
    whole: str | None = trafilatura.extract(tree, options=options)
    return whole


def _undisturbed(tree: HtmlElement, options: Extractor, compare_below: int | None) -> Any:
    try:
        return _body(tree, options, compare_below)
    except MemoryError:
        raise
    except Exception:
        # Whatever went wrong here, trafilatura itself shall say what comes of this page.
        return None


def _body(tree: HtmlElement, options: Extractor, compare_below: int | None) -> Any:
    names = "\n".join(_CLASSES(tree) + _IDS(tree))
    raw = copy(tree)
    etree.strip_elements(raw, "script", "style", with_tail=False)
    raw = _without_extras(raw, names)
    tags = _prepared(raw, options)
    precise = options.focus == "precision"
    if precise and _COMMENTS.search(names):
        tags = prune_unwanted_nodes(tags, REMOVE_COMMENTS_XPATH)
    body, text = extract_content(tags, options)
    is_long = compare_below is not None and len(text) >= compare_below
    if not is_long and not _stands(body, text, raw, options):
        body, text = _compared(body, text, raw, options)
    if not precise:
        if len(text) < options.min_extracted_size:
            rescued, rescued_text, _ = baseline(_without_extras(copy(tree), names))
            if len(rescued_text) > len(text):
                body, text = rescued, rescued_text
        if text and not _is_large(text, raw):
            body, text = _second_try(body, text, raw, options)
    return body if len(text) >= options.min_output_size else None


def _without_extras(tree: HtmlElement, names: str) -> HtmlElement:
    """Prune what is appended and readers' comments, if any class or id in ``names`` tells of them."""
    if _APPENDED.search(names):
        tree = prune_unwanted_nodes(tree, RAW_TREE_PRUNE_XPATH)
    if _COMMENTS.search(names):
        tree = prune_unwanted_nodes(tree, REMOVE_COMMENTS_AND_LISTS_XPATH)
    return tree


def _prepared(raw: HtmlElement, options: Extractor) -> HtmlElement:
    return convert_tags(tree_cleaning(copy(raw), options), options)


def _compared(body: Any, text: str, raw: HtmlElement, options: Extractor) -> tuple[Any, str]:
    """Compare with readability and justext, as trafilatura does."""
    if options.focus == "precision":
        pruned = _pruned(copy(raw), OVERALL_DISCARD_XPATH)
        if _stands(body, text, pruned, options):
            return body, text
        if _is_sound(body, text, options):
            # Justext looks at nothing but what readability gave: pruned is enough to see whether that is taken.
            readily = copy(options)
            readily.focus = "balanced"
            if compare_extraction(etree.Element("html"), pruned, body, text, readily)[0] is body:
                return body, text
    found, found_text = compare_extraction(tree_cleaning(copy(raw), options), copy(raw), body, text, options)
    return found, str(found_text)


def _is_sound(body: Any, text: str, options: Extractor) -> bool:
    """Whether trafilatura is content with its own result and would not ask justext about it."""
    return len(text) >= options.min_extracted_size and {str(e.tag) for e in body.iter()} <= CLEAN


def _stands(body: Any, text: str, raw: HtmlElement, options: Extractor) -> bool:
    """Whether comparing with readability and justext would keep ``body``, whatever they find in ``raw``."""
    if not _is_sound(body, text, options):
        return False
    if not body.xpath(".//p//text()") or len(body.findall(".//table")) > len(body.findall(".//p")):
        return False
    films = sum(1 for _ in raw.iter("iframe"))
    page = etree.tostring(raw, method="text", encoding="unicode")
    return bool(2 * len(text) >= len(" ".join(page.split())) + VIDEO * films)


def _pruned(tree: HtmlElement, expressions: list[etree.XPath]) -> HtmlElement:
    """Prune by expressions on an element's own name and attributes: asked once for elements that are alike in them."""
    kinds: dict[tuple[Any, ...], int] = {}
    sample = etree.Element("body")
    elements = _WITH_ATTRIBUTES(tree)
    numbers = []
    for element in elements:
        name = element.tag if element.tag in TOLD_APART else "other"
        attributes = [item for item in element.items() if item[0] in ASKED]
        number = kinds.setdefault((name, *attributes), len(kinds))
        if number == len(sample):
            etree.SubElement(sample, name, dict(attributes))
        numbers.append(number)
    found = {element for expression in expressions for element in expression(sample)}
    unwanted = [element in found for element in sample]
    for element, number in zip(elements, numbers, strict=True):
        if unwanted[number]:
            delete_element(element)
    return tree


def _is_large(text: str, raw: HtmlElement) -> bool:
    """Whether a balanced extraction is so long, or so much of the page, that trafilatura tries no more."""
    return bool(len(text) >= ESCALATION_MAX_LENGTH or len(text) >= ESCALATION_PAGE_SHARE * len(html2txt(raw)))


def _second_try(body: Any, text: str, raw: HtmlElement, options: Extractor) -> tuple[Any, str]:
    """Trafilatura's second try in recall mode and with justext, each taken if it brings enough more."""
    wider = copy(options)
    wider.focus = "recall"
    again, again_text = extract_content(_prepared(raw, wider), wider)
    again, again_text = _compared(again, again_text, raw, wider)
    dense, dense_text = justext_rescue(copy(raw), options)
    if len(dense_text) > max(len(again_text), ESCALATION_JUSTEXT_RATIO * len(text)):
        return dense, dense_text
    if len(again_text) >= options.min_extracted_size and len(again_text) > ESCALATION_ACCEPT_RATIO * len(text):
        return again, again_text
    return body, text
