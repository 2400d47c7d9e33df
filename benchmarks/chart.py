"""A chart of what a page costs each engine, from out/bench/marginal.json: ``python -m benchmarks.chart FILE.svg``."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from benchmarks.places import MADE

WIDTH, LABELS, VALUES, ROW, GAP, TOP = 720, 190, 80, 22, 16, 34
"""Pixels: of the chart, the names before and the figures behind the bars, a bar, the space between sets, the title."""
COLOURS = {"corpusforge-corpusforge": "#0b6e4f", "corpusforge-trafilatura": "#6bbf8a", "datatrove": "#b0b0b0"}
SETS = {"wcxb": "WCXB development pages", "bench": "bench-00000 and bench-00001", "all": "both sets"}


def chart(compared: Sequence[Mapping[str, Any]]) -> str:
    """The chart as SVG: one bar an engine and set, as long as its CPU ms a page."""
    longest = max(its["marginal"]["ms_per_page"] for one in compared for its in one["engines"])
    rows = list(_rows(compared, longest))
    height = TOP + sum(ROW + (GAP if is_last else 0) for _, is_last in rows)
    y, parts = TOP, ['<text x="0" y="18" font-weight="bold">CPU ms a page more, from WARC to tokens</text>']
    for row, is_last in rows:
        parts.append(f'<g transform="translate(0 {y})">{row}</g>')
        y += ROW + (GAP if is_last else 0)
    style = 'xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="13" fill="#444"'
    box = f'width="{WIDTH}" height="{height}" viewBox="-12 -6 {WIDTH} {height}"'
    paper = f'<rect x="-12" y="-6" width="{WIDTH}" height="{height}" fill="#fff"/>'
    return f"<svg {style} {box}>{paper}{''.join(parts)}</svg>\n"


def _rows(compared: Sequence[Mapping[str, Any]], longest: float) -> Iterator[tuple[str, bool]]:
    for one in compared:
        yield f'<text x="0" y="15">{escape(SETS[one["set"]])}, {one["mixes"]["4x"]["pages"]:,} pages</text>', False
        for its in one["engines"]:
            cost = its["marginal"]["ms_per_page"]
            size = (WIDTH - LABELS - VALUES) * cost / longest
            name = escape(f"{its['name'].split()[0]}, {its['extractor'].split()[0].replace('its', 'own')} extractor")
            name = name.replace("trafilatura extractor", "trafilatura").replace("own extractor", "its extractor")
            bar = f'<rect x="{LABELS}" y="3" width="{size:.1f}" height="16" fill="{COLOURS[its["slug"]]}"/>'
            value = f'<text x="{LABELS + size + 6:.1f}" y="15">{cost:.1f}</text>'
            yield f'<text x="12" y="15">{name}</text>{bar}{value}', its is one["engines"][-1]


def main() -> None:
    """Write the chart of the last run."""
    Path(sys.argv[1]).write_text(chart(json.loads((MADE / "marginal.json").read_text())), "utf-8")


if __name__ == "__main__":
    main()
