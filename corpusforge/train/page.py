"""The look of a report: one HTML document with its style inside, light or dark as the reader's system is."""

from collections.abc import Iterable, Sequence
from html import escape

STYLE = """
:root { color-scheme: light dark; --page: #fbfbf9; --card: #fff; --ink: #1c1c1a; --soft: #63635d; --rule: #e3e3dd;
  --alarm: #c22f2f; --c0: #2a6fdb; --c1: #d0621b; --c2: #128a70; --c3: #8b54cf; --c4: #b8860b; --c5: #c43c80;
  --c6: #4f7f1f; --c7: #5b6b80; }
@media (prefers-color-scheme: dark) { :root { --page: #161615; --card: #1f1f1d; --ink: #ecece6; --soft: #a3a39a;
  --rule: #363632; --alarm: #ff7b6e; --c0: #6ea6ff; --c1: #f0914f; --c2: #3fc3a3; --c3: #b98bf0; --c4: #dfb03c;
  --c5: #f07fb2; --c6: #93c45c; --c7: #9fb0c6; } }
body { margin: 0 auto; max-width: 1200px; padding: 24px 20px 60px; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 26px; overflow-wrap: anywhere; }
h2 { margin: 36px 0 8px; font-size: 17px; }
h2 small, h3 small { color: var(--soft); font-weight: normal; font-size: 13px; }
h3 { margin: 0 0 4px; font-size: 14px; }
code { font-size: 0.93em; }
.lead { margin: 2px 0 20px; color: var(--soft); overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(165px, 1fr)); gap: 10px; margin: 0; }
.tiles div { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 10px 14px; }
.tiles dt { color: var(--soft); font-size: 13px; }
.tiles dd { margin: 0; font-size: 20px; font-weight: 600; }
.tiles dd small { display: block; color: var(--soft); font-size: 12px; font-weight: normal; }
.verdict { margin: 16px 0; padding: 10px 14px; background: var(--card); border: 1px solid var(--rule);
  border-left: 4px solid var(--c0); border-radius: 4px; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); gap: 14px; }
figure { margin: 0 0 14px; padding: 12px 14px 8px; background: var(--card); border: 1px solid var(--rule);
  border-radius: 8px; min-width: 0; }
.charts figure { margin: 0; }
body > figure { overflow-x: auto; }
body > figure svg { min-width: 720px; }
svg { display: block; width: 100%; height: auto; }
.grid { stroke: var(--rule); stroke-width: 1; }
.tick { fill: var(--soft); font-size: 12px; }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
.level { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 5 4; }
.resume { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 2 3; }
.spike { fill: var(--alarm); }
polyline { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
polyline.faint { stroke-width: 1; opacity: 0.3; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 0 0 4px; font-size: 13px; color: var(--soft); }
.legend b { color: var(--ink); font-weight: 600; }
.legend i { display: inline-block; width: 12px; height: 3px; margin-right: 5px; vertical-align: middle; }
.note { margin: 2px 0; color: var(--soft); font-size: 13px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 14px 4px 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--rule); }
th { color: var(--soft); font-weight: normal; white-space: nowrap; }
td { overflow-wrap: anywhere; min-width: 4em; }
.numbers td, .numbers th { text-align: right; white-space: nowrap; }
.events td:nth-child(-n+3) { white-space: nowrap; }
.best td { font-weight: 600; }
.alarm { color: var(--alarm); }
pre { overflow-x: auto; font-size: 13px; background: var(--card); border: 1px solid var(--rule); padding: 10px 14px; }
summary { margin-top: 28px; cursor: pointer; font-weight: 600; }
"""
COLOUR_STYLE = "\n".join(
    f"polyline.c{n} {{ stroke: var(--c{n}) }} circle.c{n} {{ fill: var(--c{n}) }} i.c{n} {{ background: var(--c{n}) }}"
    for n in range(8)
)


def document(title: str, body: Iterable[str]) -> str:
    """A whole page; ``body`` is HTML. It loads nothing and runs nothing, and says so to the browser."""
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}{COLOUR_STYLE}</style></head>\n<body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def heading(text: str, note: str = "") -> str:
    return f"<h2>{escape(text)} <small>{escape(note)}</small></h2>"


def figure(title: str, drawing: str, note: str = "") -> str:
    """A chart under its title; ``drawing`` is HTML."""
    return f"<figure><h3>{escape(title)} <small>{escape(note)}</small></h3>{drawing}</figure>"


def tiles(facts: Iterable[tuple[str, str, str]]) -> str:
    """Figures that matter most, as (name, value, note)."""
    made = (
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}<small>{escape(note)}</small></dd></div>"
        for name, value, note in facts
    )
    return f'<dl class="tiles">{"".join(made)}</dl>'


def table(
    names: Sequence[str], rows: Iterable[Sequence[str]], style: str = "", marked: frozenset[int] = frozenset()
) -> str:
    """A table of texts; the rows of ``marked`` numbers stand out."""
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = ""
    for place, row in enumerate(rows):
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in row)
        body += f'<tr class="best">{cells}</tr>' if place in marked else f"<tr>{cells}</tr>"
    return f'<div class="scroll"><table class="{style}"><tr>{head}</tr>{body}</table></div>'


def sentence(text: str) -> str:
    """A text with a capital and names in `ticks` as code, as HTML."""
    parts = escape(text[:1].upper() + text[1:]).split("`")
    if len(parts) % 2 == 0:  # a name with a tick of its own
        return "`".join(parts)
    return "".join(f"<code>{part}</code>" if n % 2 else part for n, part in enumerate(parts))
