"""Archives of other projects, read and put in a table: ``python -m tests.sources.archives`` prints it as Markdown."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpusforge.sources import Slice
from corpusforge.sources.arc import Arc
from corpusforge.sources.warc import Warc
from corpusforge.sources.wat import Wat
from corpusforge.sources.wet import Wet
from tests.real import DATA

FOLDERS = ("warc-testfiles", "warc-cases")
SOURCES: tuple[Any, ...] = (Wet(), Wat(), Arc(), Warc())


@dataclass(frozen=True)
class Outcome:
    """What an archive gave: records in all, rows, rows that are dropped or damaged by reason, the rest by reason."""

    records: int
    rows: int
    marked: dict[str, int]
    counted: dict[str, int]

    def to_json(self) -> list[Any]:
        return [self.records, self.rows, self.marked, self.counted]


def archives() -> Iterator[tuple[str, Path]]:
    """Every archive of the test data, with its name below it; nothing where the data is not here."""
    for folder in FOLDERS:
        for path in sorted((DATA / folder).rglob("*arc*")):
            if path.is_file():
                yield str(path.relative_to(DATA)), path


def source_of(path: Path) -> Any:
    return next((source for source in SOURCES if path.name.endswith(source.suffixes)), Warc())


def read(path: Path, edges: tuple[int, ...] = ()) -> tuple[list[dict[str, Any]], Counter[str]]:
    """Rows and counts of an archive, read in slices between the edges."""
    passed_over: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    ends = sorted({*edges, path.stat().st_size})
    for start, end in zip([0, *ends], ends, strict=False):
        with path.open("rb") as file:
            for batch in source_of(path).read(Slice(path.name, "f", start, end), file, passed_over):
                rows += batch.to_pylist()
    return rows, passed_over


def outcome(path: Path) -> Outcome:
    rows, counted = read(path)
    marks = Counter(row["drop"] or row["damage"] for row in rows)
    marks.pop(None, None)
    return Outcome(len(rows) + counted.total(), len(rows), dict(sorted(marks.items())), dict(sorted(counted.items())))


def table() -> str:
    """The table as Markdown."""
    lines = ["| file | records | rows | dropped or damaged rows | counted without a row |", "|---|---:|---:|---|---|"]
    for name, path in archives():
        found = outcome(path)
        cells = [_listed(found.marked), _listed(found.counted)]
        lines.append(f"| {name} | {found.records} | {found.rows} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{reason.removeprefix('source.')} {count}" for reason, count in counts.items())


if __name__ == "__main__":
    print(table())
