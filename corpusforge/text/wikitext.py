"""Wikitext to clean text: what a reader of the page would read, without what its templates make.

Headings, paragraphs and lists stay, one a line, and a blank line stays between paragraphs. Templates go, except those
whose text is an argument (``wiki_templates.json``). References, files, categories, links to other languages, galleries
and tables (unless asked for) go. Readings above characters (ruby) go, as in HTML; readings in brackets stay.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files

from mwparserfromhell import parser
from mwparserfromhell.parser.tokenizer import Tokenizer

from corpusforge.text.variants import converted, converts
from corpusforge.text.wiki_lines import lines_of
from corpusforge.text.wiki_render import CONTROLS, Rendering

FILES = """
file image media category ファイル 画像 メディア カテゴリ bild datei kategorie fichier archivo imagen immagine файл
изображение категория 파일 그림 분류 文件 档案 檔案 圖像 图像 图片 分类 分類 ficheiro imagem plik grafika bestand
afbeelding ملف صورة تصنيف
"""
"""Names and old names of the namespaces whose links show no text; a site's own come from its dump."""
TOKENIZER = getattr(parser, "CTokenizer", None) or Tokenizer
"""The tokenizer in C, where it could be built."""
REFERENCE = re.compile(r"<ref\b[^<>]*/>|<ref\b[^<>]*>(?:(?!</?ref\b).)*</ref\s*>", re.DOTALL | re.IGNORECASE)
"""References are half of many pages, and the parser would take its time over each."""
COMMENT = re.compile(r"(?:(?<=\n)[ \t]*<!--(?:(?!-->).)*-->[ \t]*\n)|<!--.*?(?:-->|\Z)", re.DOTALL)
SECTION = re.compile(r"^(?==)", re.MULTILINE)
OPENS = re.compile(r"(\[+)|(\]+)|(\{\{+)|(\}\}+)|<(/?)(?:[a-z][a-z0-9]*)\b(?:[^<>]*?)(/?)>", re.IGNORECASE)
CUT_TAG = re.compile(r"<[a-z][^<>]*+(?!>)", re.IGNORECASE)
CUT_COST = 10
"""The parser goes through the rest of the text character by character for a tag that has no end."""
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
        return lines_of("".join(self._rendered(piece) for piece in pieces))

    def _rendered(self, text: str) -> str:
        stream = TOKENIZER().tokenize(text, 0, True)
        return Rendering(stream, self.templates, self.hidden, self.tables).all()


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
    cut = CUT_COST * sum(1 for _ in CUT_TAG.finditer(text))
    return STEPS + 1 if braces > 2 * BRACES else (links + tags + cut) * len(text)
