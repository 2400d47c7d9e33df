"""One page through the stages of a recipe, in this process: what each of them does to it, and what is decided."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from corpusforge.archive.fetch import fetched
from corpusforge.archive.page import HEAD_ROOM, Place, batch_of, page_of
from corpusforge.inputs import InputError, resolve
from corpusforge.parts import parts_in
from corpusforge.passes.corpus import Corpus
from corpusforge.passes.ledger import stored_schema
from corpusforge.passes.map import Map, applied, complete
from corpusforge.passes.specs import use_of
from corpusforge.recipe import Recipe, read_recipe
from corpusforge.sources import Source
from corpusforge.sources.pages import ENDINGS, Pages
from corpusforge.storage.addresses import base_name, on_web, shown
from corpusforge.text.edits import Edit, replay
from corpusforge.text.page_lines import left_out, page_lines


@dataclass(frozen=True)
class Step:
    """What one stage did: ``wrote`` holds the columns whose value it changed, ``edits`` those it recorded."""

    step: str
    stage: str
    ms: float
    wrote: dict[str, Any]
    edits: list[Edit]
    drop: str | None


@dataclass
class Trial:
    """A page, where it came from, what the stages did to it, and its text before and after their edits.

    ``page`` holds its lines without readings above characters, and ``read`` with them.
    """

    file: str
    record: int
    given: dict[str, Any]
    steps: list[Step] = field(default_factory=list)
    page: list[str] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    text: str | None = None
    edits: list[Edit] = field(default_factory=list)
    drop: str | None = None
    untried: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        steps = [{"pass": s.step, **{k: v for k, v in vars(s).items() if k != "step"}} for s in self.steps]
        more = {"steps": steps, "left_out": self.left_out, "extracted": self.extracted, "text": self.text}
        end = {"edits": self.edits, "kept": self.drop is None, "drop": self.drop, "not_tried": self.untried}
        return {"file": self.file, "record": self.record, **self.given, **more, **end}

    @property
    def extracted(self) -> str | None:
        """The text before the edits: what the extraction pass wrote, or what a source of texts gave."""
        return None if self.text is None else replay(self.text, self.edits)

    @property
    def comments(self) -> str | None:
        """The comments of readers as the last stage left them, where the recipe asks for them."""
        written = self._written("comments")
        return written[-1] if written else None

    @property
    def left_out(self) -> list[str]:
        """Lines of the page that extraction left out; none where no text was extracted from a page."""
        if not self._written("text"):
            return []
        # As they were extracted, before anything was done to them, masks among that.
        extracted = "\n".join(self._written(name)[0] for name in ("text", "comments") if self._written(name))
        # Some engines keep readings.
        return min((left_out(lines, extracted) for lines in (self.page, self.read)), key=len)

    def _written(self, column: str) -> list[str]:
        """What stages wrote to a column of text, in their order."""
        return [step.wrote[column] for step in self.steps if isinstance(step.wrote.get(column), str)]


def try_page(recipe: str | Path | Recipe, place: str, record: int = 1) -> Trial:
    """Send the ``record``-th page of a file, or the page at a web address, through the map passes of a recipe.

    Nothing is written, and no pool is started. Raises ``InputError`` where there is no such record.
    """
    made = recipe if isinstance(recipe, Recipe) else read_recipe(recipe)
    first = next(p for p in made.passes if isinstance(p, Map) and p.source)
    batch = complete(_row(first, place, record), first.given({}))
    given = {k: v for k, v in batch.to_pylist()[0].items() if k not in ("html", "edits", "drop", "text")}
    html = batch["html"][0].as_py() if "html" in batch.schema.names else None
    trial = Trial(shown(place), record, given)
    if html:
        trial.page, trial.read = page_lines(html), page_lines(html, readings=True)
    trial.drop = batch["drop"][0].as_py()
    rows: dict[str, pa.RecordBatch] = {}
    for one in made.passes:
        before = batch if getattr(one, "source", ()) else rows.get(next(iter(one.reads), ""))
        if isinstance(one, Map) and before is not None and not trial.drop and _readable(one, before):
            rows[one.name] = _through(one, before, trial)
            continue
        if not trial.drop:
            trial.untried.append(one.name)
        if isinstance(one, Corpus) and before is not None:
            rows[one.name] = before
    return trial


def _through(made: Map, batch: pa.RecordBatch, trial: Trial) -> pa.RecordBatch:
    """The row after a pass, without what a pass does not hand on."""
    for stage in made.stages:
        before = batch.to_pylist()[0]
        batch, ms = _timed(stage, batch)
        step = _step(made.name, stage, before, batch.to_pylist()[0], ms)
        trial.steps.append(step)
        trial.drop = trial.drop or step.drop
        if made.sweep and step.drop:
            break
    trial.text = batch["text"][0].as_py() if "text" in batch.schema.names else None
    trial.edits = batch["edits"][0].as_py() or []
    columns = {f.name: f.type for f in batch.schema}
    return complete(batch.select(stored_schema(columns).names))


def _timed(stage: Any, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, float]:
    """The batch after a stage, and the milliseconds of CPU it takes once its models are loaded."""
    applied(stage, batch)
    started = time.thread_time_ns()
    result = applied(stage, batch)
    return result, (time.thread_time_ns() - started) / 1e6


def _step(name: str, stage: Any, before: Mapping[str, Any], after: Mapping[str, Any], ms: float) -> Step:
    # Masks change more columns than they name.
    wrote = {k: v for k, v in after.items() if k not in ("drop", "edits") and v != before.get(k)}
    edits = (after["edits"] or [])[len(before["edits"] or []) :]
    return Step(name, type(stage).__name__, round(ms, 3), wrote, edits, after["drop"])


def _readable(made: Map, batch: pa.RecordBatch) -> bool:
    """Whether the stages of a pass find their columns; those that passes over many documents write are not there."""
    columns = {*batch.schema.names}
    for stage in made.stages:
        if not columns.issuperset(stage.reads):
            return False
        columns |= {*stage.writes}
    return True


def _row(first: Map, place: str, record: int) -> pa.RecordBatch:
    """The row that a source makes of the page, as a batch."""
    name = base_name(place).lower()
    if on_web(place) and (name.endswith(ENDINGS) or not any(name.endswith(s.suffixes) for s in first.source)):
        return _from_web(place)
    source = _source_for(first, name)
    found = resolve([place], source.suffixes, lambda line: None)
    if len(found) > 1:
        raise InputError(f"{place} holds {len(found)} files. Name one of them, such as {found[0].path}")
    passed_over: Counter[str] = Counter()
    reader = replace(first, source=(source,))
    seen = 0
    for piece in reader.reader_of(found[0].name).plan(found[0], record):
        with found[0].open() as file:
            for batch in source.read(piece, file, passed_over):
                if seen + batch.num_rows >= record:
                    return batch.slice(record - seen - 1, 1)
                seen += batch.num_rows
    others = ", ".join(f"{count} {reason}" for reason, count in sorted(passed_over.items()))
    had = f"it has {seen} records" + (f", and passed over {others}" if others else "")
    use = use_of(source).rpartition(".")[2]
    cure = "Try --record 1, or another file" if seen else "Try another file"
    raise InputError(f"{place} has no record {record} for {use}: {had}. {cure}")


def _from_web(url: str) -> pa.RecordBatch:
    most = Pages().payload_bytes
    capture = fetched(url, most + HEAD_ROOM)
    page = page_of(capture, most)
    if isinstance(page, str):
        status = f"the server answers {capture.message.status}" if page == "http_status" else "it is no HTML page"
        raise InputError(f"{shown(url)}: {status} (a build counts it as source.{page}). Try another address")
    return batch_of(base_name(url) or shown(url), [(Place(0, len(capture.message.body)), page)])


def _source_for(first: Map, name: str) -> Source:
    """The source that reads a file of that name: the recipe's, else one of ours that gives what the stages need."""
    if any(name.endswith(source.suffixes) for source in first.source):
        return first.reader_of(name)
    for source in _others(first):
        if name.endswith(source.suffixes):
            return source
    read = " or ".join(use_of(source).rpartition(".")[2] for source in first.source)
    if len(first.source) > 1 and "." in name:
        raise InputError(f"{name} is of no kind that this recipe can be tried on ({read}). Try another recipe")
    return first.reader_of(name)


def _others(first: Map) -> Iterator[Source]:
    for part in parts_in("corpusforge.sources").values():
        source: Source = part()
        columns = {name: pa.nulls(0, kind) for name, kind in source.writes.items()}
        if _readable(first, complete(pa.record_batch(columns))):
            yield source
