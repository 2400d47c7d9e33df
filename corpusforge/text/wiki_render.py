"""From the tokens of wikitext to what a reader reads, without a tree of nodes in between.

The tokens are those of mwparserfromhell's tokenizer: each opening one has its closing one.
"""

import html
import re
from collections.abc import Callable, Mapping
from typing import Any

from mwparserfromhell.parser import tokens as t

from corpusforge.text.wiki_lines import GAP, HEADING, LIST

NO_TEXT = """
ref references gallery timeline score imagemap hiero templatedata inputbox graph categorytree indicator section
mapframe maplink templatestyles style script rt rp rtc includeonly dynamicpagelist languages
"""
DROPPED = frozenset(NO_TEXT.split())
BLOCKS = frozenset({"p", "div", "blockquote", "center", "dl", "ul", "ol", "poem", "caption"}) | {
    f"h{n}" for n in range(1, 7)
}
RAW = frozenset({"nowiki", "pre", "source", "syntaxhighlight"})
FORMULAS = frozenset({"math", "chem", "ce"})
QUOTES = re.compile(r"'{2,}")
SWITCH = re.compile(r"__(?:[A-Z]{4,}|[^\x00-\x7f]{2,20}?)__")
LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z]+)*:(?=\S)|(?:simple|commons|d|meta|species):(?=\S)")
HIDDEN = re.compile(r"display\s*:\s*none")
PIPED = re.compile(r"\s*[(（][^()（）]*[)）]$|^[^:]*:")
KEY = re.compile(r"\{(\w+)\}")
TITLE = 300
"""A title has 255 bytes at most."""
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")

PARAMETER_ENDS = frozenset({t.TemplateParamSeparator, t.TemplateClose})
PARAMETER_PARTS = PARAMETER_ENDS | {t.TemplateParamEquals}
LINK_ENDS = frozenset({t.WikilinkSeparator, t.WikilinkClose})
ADDRESS_ENDS = frozenset({t.ExternalLinkSeparator, t.ExternalLinkClose})
ARGUMENT_ENDS = frozenset({t.ArgumentSeparator, t.ArgumentClose})
ATTRIBUTE_ENDS = frozenset({t.TagAttrStart, t.TagCloseOpen, t.TagCloseSelfclose})
TAG_ENDS = frozenset({t.TagOpenClose, t.TagCloseClose})


class Rendering:
    """One text's tokens and how far they are read; each method reads up to and with the end of what it is called for.

    ``templates`` maps names to formats, ``hidden`` are names of namespaces whose links show no text.
    """

    def __init__(self, stream: list[Any], templates: Mapping[str, str], hidden: frozenset[str], tables: bool) -> None:
        self._tokens, self._at = stream, 0
        self._templates, self._hidden, self._tables = templates, hidden, tables

    def all(self) -> str:
        return self._until(frozenset())

    def _until(self, ends: frozenset[type]) -> str:
        """What is read up to one of ``ends``; the next token is then the one behind it."""
        parts: list[str] = []
        stream, size = self._tokens, len(self._tokens)
        while self._at < size:
            token = stream[self._at]
            self._at += 1
            kind = type(token)
            if kind is t.Text:
                text = token["text"]
                if "''" in text:
                    text = QUOTES.sub(_quotes, text)
                parts.append(SWITCH.sub("", text) if "__" in text else text)
            elif kind in ends:
                break
            elif show := SHOW.get(kind):
                parts.append(show(self, token))
        return "".join(parts)

    def _raw(self, ends: frozenset[type]) -> str:
        """The same for what is not read as wikitext: text and character references."""
        parts: list[str] = []
        while type(token := self._tokens[self._at]) not in ends:
            self._at += 1
            if type(token) is t.Text:
                parts.append(token["text"])
            elif show := SHOW.get(type(token)):
                parts.append(show(self, token))
        self._at += 1
        return CONTROLS.sub("", "".join(parts))

    @property
    def _last(self) -> Any:
        return self._tokens[self._at - 1]

    def _ended(self, kind: type) -> bool:
        return type(self._last) is kind

    def _skip(self, opens: type, closes: frozenset[type]) -> None:
        """Go behind the end of what has been opened."""
        depth = 1
        while depth:
            kind = type(self._tokens[self._at])
            self._at += 1
            depth += 1 if kind is opens else -1 if kind in closes else 0

    def _entity(self, token: Any) -> str:
        name = ""
        while type(token := self._tokens[self._at]) is not t.HTMLEntityEnd:
            self._at += 1
            name += {t.HTMLEntityNumeric: "#", t.HTMLEntityHex: "x"}.get(type(token)) or token["text"]
        self._at += 1
        return CONTROLS.sub("", html.unescape(f"&{name};")).replace("\xa0", " ")

    def _comment(self, token: Any) -> str:
        self._until(frozenset({t.CommentEnd}))
        return ""

    def _heading(self, token: Any) -> str:
        title = self._until(frozenset({t.HeadingEnd}))
        return f"{HEADING}{token['level']}{title.strip()}"

    def _argument(self, token: Any) -> str:
        self._until(ARGUMENT_ENDS)
        return self._until(ARGUMENT_ENDS) if self._ended(t.ArgumentSeparator) else ""

    def _external(self, token: Any) -> str:
        url = self._until(ADDRESS_ENDS)
        title = self._until(ADDRESS_ENDS) if self._ended(t.ExternalLinkSeparator) else ""
        return title.strip() if token.brackets else url

    def _wikilink(self, token: Any) -> str:
        target = self._until(LINK_ENDS).strip()
        piped = self._ended(t.WikilinkSeparator)
        space, colon, _ = target.partition(":")
        if colon and space.strip().replace("_", " ").lower() in self._hidden:
            if piped:
                self._skip(t.WikilinkOpen, frozenset({t.WikilinkClose}))
            return ""
        if not piped:
            return "" if LANGUAGE.match(target) else target.lstrip(":").replace("_", " ")
        begin = self._at
        shown = self._until(LINK_ENDS)
        if shown.strip() or self._at - begin > 2:
            return shown
        return PIPED.sub("", target[:TITLE].lstrip(":")).replace("_", " ")

    def _template(self, token: Any) -> str:
        name = self._until(PARAMETER_ENDS).strip().replace("_", " ").lower()
        name, given = _function(name.removeprefix("template:"))
        form = self._templates.get(name) or ("{1}" if re.match(r"(?:lang|link)-[a-z]", name) else None)
        if form is None:
            if not self._ended(t.TemplateClose):
                self._skip(t.TemplateOpen, frozenset({t.TemplateClose}))
            return GAP
        arguments = {"1": given} if given else {}
        arguments |= self._parameters()
        for one in form.split("||"):
            if all(arguments.get(key, "").strip(GAP) for key in KEY.findall(one)):
                return KEY.sub(lambda match: arguments[match[1]], one)
        return GAP

    def _parameters(self) -> dict[str, str]:
        found: dict[str, str] = {}
        number = 1
        while not self._ended(t.TemplateClose):
            value = self._until(PARAMETER_PARTS)
            if self._ended(t.TemplateParamEquals):
                key, value = value.strip(), self._until(PARAMETER_ENDS)
            else:
                key, number = str(number), number + 1
            found[key] = value.strip()
        return found

    def _tag_head(self) -> tuple[str, bool, bool]:
        """A tag's name in small letters, whether it has content, and whether a style hides it."""
        name = self._until_attribute().lower()
        hidden = False
        while self._ended(t.TagAttrStart):
            attribute, _, value = self._until_attribute().partition("\0")
            hidden = hidden or (attribute == "style" and HIDDEN.search(value) is not None)
        return name, self._ended(t.TagCloseOpen), hidden

    def _until_attribute(self) -> str:
        """A name, behind ``\\0`` a value if there is one."""
        parts = []
        while type(token := self._tokens[self._at]) not in ATTRIBUTE_ENDS:
            self._at += 1
            if type(token) is t.Text:
                parts.append(token["text"])
            elif type(token) is t.TagAttrEquals:
                parts = ["".join(parts).strip(), "\0"]
            elif show := SHOW.get(type(token)):
                parts.append(show(self, token))
        self._at += 1
        return "".join(parts).strip()

    def _tag_end(self) -> None:
        while not self._ended(t.TagCloseClose):
            self._at += 1

    def _tag(self, token: Any) -> str:
        name, filled, hidden = self._tag_head()
        if name in DROPPED or hidden or (name == "table" and not self._tables):
            if filled:
                self._skip(t.TagOpenOpen, frozenset({t.TagCloseClose, t.TagCloseSelfclose}))
            return "\n" if name == "table" and not hidden else ""
        if name in RAW or name in FORMULAS:
            return self._unread(name, filled)
        if name == "table":
            rows = self._rows() if filled else []
            return "\n" + "".join(f"{row}\n" for row in rows if row)
        inner = self._until(TAG_ENDS) if filled else ""
        if filled:
            self._tag_end()
        if token.wiki_markup in ("*", "#"):
            return LIST
        if name in ("br", "hr"):
            return "\n"
        if name == "li":
            return f"\n{LIST}{inner}\n" if filled else f"\n{LIST}"
        return f"\n{inner}\n" if name in BLOCKS else inner

    def _unread(self, name: str, filled: bool) -> str:
        text = ""
        if filled:
            text = self._raw(TAG_ENDS)
            self._tag_end()
        if name in FORMULAS:
            return f"${text.strip()}$"
        return text if name == "nowiki" else f"\n{text.strip(chr(10))}\n"

    def _rows(self) -> list[str]:
        """The rows of a table, or of a part of one, their cells between bars; a caption is a row."""
        rows: list[str] = []
        cells: list[str] = []
        while type(token := self._tokens[self._at]) is not t.TagOpenClose:
            self._at += 1
            if type(token) is not t.TagOpenOpen:
                show = SHOW.get(type(token))
                rows.append((show(self, token) if show else token.get("text", "")).strip())
                continue
            begin = self._at
            name, filled, _ = self._tag_head()
            if name in ("td", "th"):
                cell = " ".join(self._until(TAG_ENDS).split()) if filled else ""
                if not cells and token.wiki_markup == "|" and cell.startswith("+"):
                    rows.append(cell.removeprefix("+").strip())
                else:
                    cells.append(cell)
            elif name in ("tr", "tbody", "thead"):
                rows.append(" | ".join(cells))
                cells = []
                rows += self._rows() if filled else []
                continue
            else:
                self._at = begin
                rows.append(self._tag(token).strip())
                continue
            if filled:
                self._tag_end()
        self._at += 1
        self._tag_end()
        rows.append(" | ".join(cells) if any(cells) else "")
        return rows


SHOW: dict[type, Callable[[Rendering, Any], str]] = {
    t.TemplateOpen: Rendering._template,
    t.ArgumentOpen: Rendering._argument,
    t.WikilinkOpen: Rendering._wikilink,
    t.ExternalLinkOpen: Rendering._external,
    t.HTMLEntityStart: Rendering._entity,
    t.HeadingStart: Rendering._heading,
    t.CommentStart: Rendering._comment,
    t.TagOpenOpen: Rendering._tag,
}
"""What shows each kind of opening token; others show nothing."""


def _quotes(match: re.Match[str]) -> str:
    """Quotes that are no marks of bold or italics."""
    count = len(match[0])
    return "'" if count == 4 else "'" * max(0, count - 5)


def _function(name: str) -> tuple[str, str]:
    """A function's name and its first argument, which stands behind a colon; other names as they are."""
    head, colon, rest = name.partition(":")
    return (head, rest) if colon and head in ("formatnum", "lc", "uc", "lcfirst", "ucfirst") else (name, "")
