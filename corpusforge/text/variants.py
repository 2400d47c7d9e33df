"""Spellings that a wiki keeps side by side: ``-{zh-hans:…; zh-hant:…}-``, in languages with more than one script."""

import re

CONVERTED = "ban crh en-x-piglatin gan iu kk ku mni sh shi sr tg tly uz wuu zgh zh zh-classical lzh"
LANGUAGES = frozenset(CONVERTED.split())
"""Languages whose wikis convert; elsewhere ``-{`` is text."""
NEXT = {
    "zh-hans": ("zh-cn", "zh-sg", "zh-my", "zh"),
    "zh-cn": ("zh-hans", "zh-sg", "zh-my", "zh"),
    "zh-sg": ("zh-my", "zh-hans", "zh-cn", "zh"),
    "zh-hant": ("zh-tw", "zh-hk", "zh-mo", "zh"),
    "zh-tw": ("zh-hant", "zh-hk", "zh-mo", "zh"),
    "zh-hk": ("zh-mo", "zh-hant", "zh-tw", "zh"),
}
"""What stands in for a variant that is not given, first come first."""
MARKUP = re.compile(r"-\{(?!\{)((?:(?!-\{(?!\{)|\}-).)*)\}-", re.DOTALL)
RAW = re.compile(
    r"(<(math|nowiki|pre|source|syntaxhighlight|chem|ce)\b[^>]*(?<!/)>.*?</\2\s*>)", re.DOTALL | re.IGNORECASE
)
RULE = re.compile(r"\s*([a-z][a-z-]*)\s*:(.*)", re.DOTALL)
PARTS = re.compile(r";(?=\s*(?:[a-z][a-z-]*\s*:|\Z|[^;]*=>))")
SILENT = frozenset("HT-")
DEPTH = 4


def converts(lang: str) -> bool:
    """Whether the wikis of that language convert between variants."""
    return lang in LANGUAGES or lang.startswith("zh")


def converted(text: str, variant: str) -> str:
    """The text with one spelling each: that of ``variant``, else of one near to it, else the first."""
    if "-{" not in text:
        return text
    pieces = RAW.split(text)
    for number in range(0, len(pieces), 3):
        for _ in range(DEPTH):
            pieces[number] = MARKUP.sub(lambda match: _chosen(match[1], variant), pieces[number])
    return "".join(piece for number, piece in enumerate(pieces) if number % 3 != 2)


def _chosen(markup: str, variant: str) -> str:
    flags, bar, rest = markup.partition("|")
    names = {flag.strip() for flag in flags.split(";")}
    if bar and all(re.fullmatch(r"[A-Z-]|[a-z]{2,3}(?:-[a-z]+)*|", name) for name in names):
        if names & SILENT:
            return ""
        markup = rest
    parts = [part for part in PARTS.split(markup) if part.strip()]
    rules = [match.groups() for part in parts if (match := RULE.fullmatch(part))]
    if not rules or len(rules) < len(parts):
        return "" if "=>" in markup else markup
    spellings = {name: spelling.strip() for name, spelling in reversed(rules)}
    wanted = next((name for name in (variant, *NEXT.get(variant, ())) if name in spellings), rules[0][0])
    return spellings[wanted]
