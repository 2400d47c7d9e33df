"""Wikitext to clean text: what a reader of the page would read, without what its templates make.

Headings, paragraphs and lists stay, one a line, and a blank line stays between paragraphs. Templates go, except those
whose text is an argument (``wiki_templates.json``). References, files, categories, links to other languages, galleries
and tables (unless asked for) go. Readings above characters (ruby) go, as in HTML; readings in brackets stay.
"""

import html
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import mwparserfromhell
from mwparserfromhell import nodes
from mwparserfromhell.wikicode import Wikicode

from corpusforge.text.variants import converted, converts
from corpusforge.text.wiki_lines import GAP, HEADING, LIST, lines_of

FILES = """
file image media category ファイル 画像 メディア カテゴリ bild datei kategorie fichier archivo imagen immagine файл
изображение категория 파일 그림 분류 文件 档案 檔案 圖像 图像 图片 分类 分類 ficheiro imagem plik grafika bestand
afbeelding ملف صورة تصنيف
"""
"""Names and old names of the namespaces whose links show no text; a site's own come from its dump."""
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
REFERENCE = re.compile(r"<ref\b[^<>]*/>|<ref\b[^<>]*>(?:(?!</?ref\b).)*</ref\s*>", re.DOTALL | re.IGNORECASE)
"""References are half of many pages, and the parser would take its time over each."""
COMMENT = re.compile(r"(?:(?<=\n)[ \t]*<!--(?:(?!-->).)*-->[ \t]*\n)|<!--.*?(?:-->|\Z)", re.DOTALL)
QUOTES = re.compile(r"'{2,}")
SWITCH = re.compile(r"__(?:[A-Z]{4,}|[^\x00-\x7f]{2,20}?)__")
LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z]+)*:(?=\S)|(?:simple|commons|d|meta|species):(?=\S)")
HIDDEN = re.compile(r"display\s*:\s*none")
PIPED = re.compile(r"\s*[(（][^()（）]*[)）]$|^[^:]*:")
TITLE = 300
"""A title has 255 bytes at most."""
SECTION = re.compile(r"^(?==)", re.MULTILINE)
OPENS = re.compile(r"(\[+)|(\]+)|(\{\{+)|(\}\}+)|<(/?)(?:[a-z][a-z0-9]*)\b(?:[^<>]*?)(/?)>", re.IGNORECASE)
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
SECTION_CHARACTERS = 20_000
"""A longer text is parsed section by section."""
STEPS = 1_000_000_000
"""Characters looked at for marks that are not closed, before a text is too dear: about ten seconds."""

BRACES = 100
"""Templates that are not closed, before a text is too dear: for these the time grows with a higher power."""


class TooDear(Exception):
    """So many marks are not closed that parsing would take minutes."""


def shipped_templates() -> dict[str, str]:
    """Templates whose text is an argument: name in small letters to format."""
    text = files("corpusforge.text").joinpath("wiki_templates.json").read_text("utf-8")
    return {name: form for form, names in json.loads(text).items() for name in names}


@dataclass(frozen=True)
class Wikitext:
    """Cleans the pages of one wiki.

    ``hidden`` are names of namespaces, in small letters, whose links show no text. ``templates`` maps names to formats:
    ``{1}`` is an argument, ``||`` stands between formats of which the first counts whose arguments are all there.
    ``variant`` chooses among the spellings of ``-{zh-hans:…;zh-hant:…}-`` in languages that have these.
    """

    lang: str = ""
    hidden: frozenset[str] = frozenset(FILES.split())
    templates: Mapping[str, str] = field(default_factory=shipped_templates)
    tables: bool = False
    variant: str = "zh-hans"

    def clean(self, text: str) -> str:
        """The text of a page; raises ``TooDear``."""
        text = REFERENCE.sub("", COMMENT.sub("", CONTROLS.sub("", text)))
        if converts(self.lang):
            text = converted(text, self.variant)
        pieces = SECTION.split(text) if len(text) > SECTION_CHARACTERS else [text]
        if sum(steps(piece) for piece in pieces) > STEPS:
            raise TooDear
        parsed = (mwparserfromhell.parse(piece, skip_style_tags=True) for piece in pieces)
        return lines_of("".join(self._code(code) for code in parsed))

    def _code(self, code: Wikicode | None) -> str:
        if code is None:
            return ""
        return "".join(self._node(node) for node in code.nodes)

    def _node(self, node: Any) -> str:
        show: Callable[[Any], str] | None = getattr(self, f"_{type(node).__name__.lower()}", None)
        return show(node) if show else ""

    def _text(self, node: nodes.Text) -> str:
        return SWITCH.sub("", QUOTES.sub(_quotes, node.value))

    def _htmlentity(self, node: nodes.HTMLEntity) -> str:
        return CONTROLS.sub("", html.unescape(str(node))).replace("\xa0", " ")

    def _heading(self, node: nodes.Heading) -> str:
        return f"{HEADING}{node.level}{self._code(node.title).strip()}"

    def _argument(self, node: nodes.Argument) -> str:
        return self._code(node.default)

    def _externallink(self, node: nodes.ExternalLink) -> str:
        if node.brackets:
            return self._code(node.title).strip()
        return str(node.url)

    def _wikilink(self, node: nodes.Wikilink) -> str:
        target = str(node.title).strip()
        space, colon, _ = target.partition(":")
        if colon and space.strip().replace("_", " ").lower() in self.hidden:
            return ""
        if node.text is None:
            return "" if LANGUAGE.match(target) else target.lstrip(":").replace("_", " ")
        shown = self._code(node.text)
        if shown.strip() or str(node.text).strip():
            return shown
        return PIPED.sub("", target[:TITLE].lstrip(":")).replace("_", " ")

    def _template(self, node: nodes.Template) -> str:
        name = str(node.name).strip().replace("_", " ").lower()
        name, given = _function(name.removeprefix("template:"))
        form = self.templates.get(name) or ("{1}" if re.match(r"(?:lang|link)-[a-z]", name) else None)
        if form is None:
            return GAP
        arguments = {"1": given} if given else {}
        arguments |= {str(p.name).strip(): self._code(p.value).strip() for p in node.params}
        for one in form.split("||"):
            needed = re.findall(r"\{(\w+)\}", one)
            if all(arguments.get(key, "").strip(GAP) for key in needed):
                return re.sub(r"\{(\w+)\}", lambda match: arguments[match[1]], one)
        return GAP

    def _tag(self, node: Any) -> str:
        name = str(node.tag).strip().lower()
        if name in DROPPED or _is_hidden(node):
            return ""
        if node.wiki_markup in ("*", "#"):
            return LIST
        if name in ("br", "hr"):
            return "\n"
        if name in RAW:
            text = CONTROLS.sub("", html.unescape(str(node.contents)))
            return text if name == "nowiki" else f"\n{text.strip(chr(10))}\n"
        if name in FORMULAS:
            return f"${html.unescape(str(node.contents)).strip()}$"
        if name == "table":
            rows = self._rows(node.contents) if self.tables else ()
            return "\n" + "".join(f"{row}\n" for row in rows if row)
        inner = self._code(node.contents)
        if name == "li" and node.contents is not None:
            return f"\n{LIST}{inner}\n"
        return f"\n{inner}\n" if name in BLOCKS else inner

    def _rows(self, contents: Wikicode | None) -> Iterator[str]:
        """The rows of a table, their cells between bars; a caption is a row."""
        cells: list[str] = []
        node: Any
        for node in contents.nodes if contents is not None else ():
            name = str(node.tag).strip().lower() if isinstance(node, nodes.Tag) else ""
            if name in ("td", "th"):
                cell = " ".join(self._code(node.contents).split())
                if not cells and node.wiki_markup == "|" and str(node.contents or "").startswith("+"):
                    yield cell.removeprefix("+").strip()
                else:
                    cells.append(cell)
            elif name in ("tr", "tbody", "thead"):
                yield " | ".join(cells)
                cells = []
                yield from self._rows(node.contents)
            else:
                yield self._node(node).strip()
        yield " | ".join(cells) if any(cells) else ""


def steps(text: str) -> int:
    """How many characters a parser looks at for the ends of marks that are not closed."""
    if text.count("{{") <= BRACES and (text.count("[") + text.count("<")) * len(text) <= STEPS // 10:
        return 0
    links = tags = braces = 0
    for opened, closed, begun, ended, end, empty in OPENS.findall(text):
        links = max(0, links + len(opened) - len(closed))
        braces = max(0, braces + len(begun) - len(ended))
        if not (opened or closed or begun or ended or empty):
            tags = max(0, tags - 1) if end else tags + 1
    return STEPS + 1 if braces > 2 * BRACES else (links + tags) * len(text)


def _quotes(match: re.Match[str]) -> str:
    """Quotes that are no marks of bold or italics."""
    count = len(match[0])
    return "'" if count == 4 else "'" * max(0, count - 5)


def _function(name: str) -> tuple[str, str]:
    """A function's name and its first argument, which stands behind a colon; other names as they are."""
    head, colon, rest = name.partition(":")
    return (head, rest) if colon and head in ("formatnum", "lc", "uc", "lcfirst", "ucfirst") else (name, "")


def _is_hidden(node: nodes.Tag) -> bool:
    return any(str(a.name).strip() == "style" and HIDDEN.search(str(a.value or "")) for a in node.attributes)
