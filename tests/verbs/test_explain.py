"""What `explain` shows is what a build does, and what it proposes keeps the same documents for less."""

import gzip
import io
import json
import subprocess
import sys
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from rich.console import Console

import corpusforge as cf
from corpusforge import api
from corpusforge.demo.write import write
from corpusforge.inputs import InputError
from corpusforge.recipe import parse_recipe, read_recipe
from corpusforge.verbs.explain_order import bound, cheapest, needed, segments
from corpusforge.verbs.explain_sample import sampled_of
from corpusforge.verbs.sample import NoSample

LAB = """
import time
from typing import ClassVar
import pyarrow as pa
from pydantic.dataclasses import dataclass
from corpusforge.stages import STRICT, put

def busy(rows):
    until = time.process_time() + 0.001 * rows
    while time.process_time() < until:
        pass

@dataclass(frozen=True, config=STRICT)
class Slow:
    "Measures slowly, drops nothing."
    revision: ClassVar[int] = 1
    reads: ClassVar[tuple] = ("text",)
    writes: ClassVar[dict] = {"slow": pa.int32()}
    def __call__(self, batch):
        busy(batch.num_rows)
        return put(self, batch, slow=[len(text) for text in batch["text"].to_pylist()])

@dataclass(frozen=True, config=STRICT)
class Half:
    "Drops the texts of even numbers at once."
    words: tuple[str, ...] = ()
    revision: ClassVar[int] = 1
    reads: ClassVar[tuple] = ("text",)
    writes: ClassVar[dict] = {"drop": pa.string()}
    def __call__(self, batch):
        even = [int(text.split()[1]) % 2 == 0 for text in batch["text"].to_pylist()]
        return put(self, batch, drop=["even" if one else None for one in even])

@dataclass(frozen=True, config=STRICT)
class Liar(Half):
    "Reads a column that it does not declare."
    def __call__(self, batch):
        batch["date"]
        return Half.__call__(self, batch)

@dataclass(frozen=True, config=STRICT)
class Crowd(Half):
    "Breaks the rules: drops by the place in a batch."
    def __call__(self, batch):
        busy(batch.num_rows)
        return put(self, batch, drop=["odd" if row % 2 else None for row in range(batch.num_rows)])

@dataclass(frozen=True, config=STRICT)
class Fragile(Slow):
    "Cannot stand texts of even numbers."
    def __call__(self, batch):
        if any(int(text.split()[1]) % 2 == 0 for text in batch["text"].to_pylist()):
            raise ValueError("an even number")
        return Slow.__call__(self, batch)
"""
RECIPE = """corpus: t
passes:
  - name: read
    source: jsonl.Jsonl
  - name: clean
    {more}
    stages: [{stages}]
  - {{name: duplicates, use: dedup}}
"""


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with stages of one's own, and 120 texts."""
    (tmp_path / "explain_lab.py").write_text(LAB)
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("explain_lab", None)
    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"text": f"text {n} of it"}) + "\n" for n in range(120)))
    return tmp_path


def explained(lab: Path, *stages: str, more: str = "") -> api.Explanation:
    named = ", ".join(stage if stage.startswith("{") else f'"explain_lab:{stage}"' for stage in stages)
    (lab / "t.yaml").write_text(RECIPE.format(stages=named, more=more))
    return api.explain(lab / "t.yaml", [str(lab / "in.jsonl")])


def printed(told: api.Explanation) -> str:
    shown = io.StringIO()
    api.show_explanation(Console(file=shown, width=200), told)
    return shown.getvalue()


def test_a_cheaper_order_is_proposed_and_keeps_the_same_documents(lab: Path) -> None:
    told = explained(lab, "Slow", '{use: "explain_lab:Half", words: [a, "b: c"]}')
    (proposal,) = told.proposals
    assert proposal.order == "Half, Slow"
    assert 0.3 < proposal.saved < 0.7, "half of the texts are spared a millisecond each"
    assert proposal.noise < proposal.saved
    assert 0.2 < proposal.share < 0.6

    before = cf.build(lab / "t.yaml", [str(lab / "in.jsonl")], lab / "before", pool="serial")
    lines = "\n    ".join(proposal.stages.splitlines())
    pasted = RECIPE.format(stages="", more="").replace("stages: []", lines)
    (lab / "pasted.yaml").write_text(pasted)
    given, other = (read_recipe(lab / name).pass_named("clean").stages for name in ("t.yaml", "pasted.yaml"))
    assert other == given[::-1]
    after = cf.build(lab / "pasted.yaml", [str(lab / "in.jsonl")], lab / "after", pool="serial")
    rows = [[sorted(row.items()) for row in cf.documents(f"{run.address}/clean")] for run in (before, after)]
    assert rows[0] == rows[1]
    assert len(rows[0]) == 60

    shown = printed(told)
    assert f"saves {proposal.saved:.3f} ms" in shown
    assert "    - {use: 'explain_lab:Half', words: [a, 'b: c']}" in shown
    assert "what may move is the reason" in shown


def test_the_best_order_is_not_proposed_again(lab: Path) -> None:
    told = explained(lab, "Half", "Slow")
    assert told.proposals == ()
    assert told.remarks == ()
    assert "no order of the stages" in printed(told)


def test_figures_of_stages_add_up(lab: Path) -> None:
    told = explained(lab, "Slow", "Half", "{use: length.TooLong}")
    by_stage = {row.stage: row for row in told.rows if row.step == "clean"}
    assert [row.stage for row in told.rows] == ["source", "write", "Slow", "Half", "TooLong", "write"]
    assert [(row.documents, row.dropped) for row in told.rows][2:] == [(120, 0), (120, 60), (60, 0), (60, 0)]
    assert by_stage["Slow"].ms == pytest.approx(1, rel=0.3)
    assert by_stage["Slow"].left == 1.0
    assert by_stage["TooLong"].left == 0.5
    assert by_stage["TooLong"].ms_source == pytest.approx(by_stage["TooLong"].ms / 2, abs=1e-5)
    assert sum(row.share for row in told.rows) == pytest.approx(1, abs=1e-3)
    assert (told.sampled, told.read, told.unmeasured) == (120, 120, ("duplicates",))


def test_a_stage_that_reads_more_than_it_declares_moves_nowhere(lab: Path) -> None:
    told = explained(lab, "Slow", "Liar")
    assert told.proposals == ()
    assert told.remarks == ("clean: no order is tried of Slow, Liar: Liar reads more than it declares",)


def test_an_order_that_gives_other_documents_is_not_proposed(lab: Path) -> None:
    told = explained(lab, "Crowd", "Half")
    assert told.proposals == ()
    assert "gives other documents on the sample" in told.remarks[0]


def test_a_stage_that_needs_another_before_it_moves_nowhere(lab: Path) -> None:
    told = explained(lab, "Half", "Fragile")
    assert told.proposals == ()
    assert "an even number" in told.remarks[0]


def test_a_pass_that_does_not_sweep_has_no_cheaper_order(lab: Path) -> None:
    told = explained(lab, "Slow", "Half", more="sweep: false")
    assert told.proposals == ()
    assert "sweep: false" in told.remarks[0]
    assert [(row.documents, row.dropped) for row in told.rows][2:] == [(120, 0), (120, 0), (120, 60)]


def test_counts_are_those_of_a_build(tmp_path: Path) -> None:
    write(tmp_path / "in", pages=60)
    run = cf.build("web_multi", [str(tmp_path / "in")], tmp_path / "out", pool="serial")
    told = api.explain("web_multi", [str(tmp_path / "in")], records=100_000)
    counts = {view.step: view.report.counts for view in api.report(run.address)}
    for row in told.rows:
        into = [
            n for name, n in counts[row.step].items() if name.startswith("into.") and name.endswith(f".{row.stage}")
        ]
        assert row.stage in ("source", "write") or row.documents == into[0], row
    last = told.rows[-1]
    assert last.documents - last.dropped == counts["clean"]["kept"]
    assert told.passed_over == {reason: counts["extract"][f"drop.{reason}"] for reason in told.passed_over}, (
        "all was read, so all that is passed over was met"
    )
    assert told.unmeasured == ("duplicates", "corpus", "tokens")


def test_the_sample_is_spread_over_files_and_within_them(tmp_path: Path) -> None:
    lines = [json.dumps({"text": f"{n} " + "text of a document " * 20}) for n in range(20_000)]
    (tmp_path / "t.yaml").write_text("corpus: t\npasses: [{name: read, source: jsonl.Jsonl}]")
    for name, data in (("a", "\n".join(lines[:15_000]).encode()), ("b", "\n".join(lines[15_000:]).encode())):
        (tmp_path / f"{name}.jsonl").write_bytes(data)
        (tmp_path / f"{name}.jsonl.gz").write_bytes(gzip.compress(data))

    def numbers(*names: str) -> list[int]:
        planned = api.plan(tmp_path / "t.yaml", [str(tmp_path / name) for name in names])
        assert planned.source
        found = sampled_of(planned.source, 100)
        return sorted(int(text.split()[0]) for batch in found.batches for text in batch["text"].to_pylist())

    seen = numbers("a.jsonl", "b.jsonl")
    assert len(seen) == len(set(seen)) == 100
    assert seen[50] == pytest.approx(10_000, abs=4_000)
    assert seen[-1] > 16_000
    packed = numbers("a.jsonl.gz", "b.jsonl.gz")
    assert len(set(packed)) == 100
    assert any(100 < n < 15_000 for n in packed), "not the first ones only of a file that cannot be entered"
    assert any(n >= 15_000 for n in packed)


def test_many_small_files_are_all_seen(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for n in range(30):
        (tmp_path / "in" / f"{n}.html").write_text(f"<html><body><p>Text {n}</p></body></html>")
    told = api.explain("web_multi", [str(tmp_path / "in")], records=50)
    assert (told.sampled, told.read) == (30, 30)


def test_what_cannot_be_measured_is_one_message(lab: Path) -> None:
    (lab / "none.jsonl").write_text("")
    with pytest.raises(InputError, match="no input was given"):
        api.explain("text", [])
    with pytest.raises(NoSample, match="holds no record"):
        api.explain("text", [str(lab / "none.jsonl")])


def test_a_stage_that_raises_is_named_with_its_document(lab: Path) -> None:
    with pytest.raises(
        NoSample, match=r"pass clean cannot be measured: ValueError: an even number \(stage Fragile, doc"
    ):
        explained(lab, "Fragile")


def test_the_command_prints_json_alone_and_writes_nothing(lab: Path) -> None:
    (lab / "read.yaml").write_text("corpus: t\npasses: [{name: read, source: jsonl.Jsonl}]")
    before = sorted(lab.rglob("*"))
    command = [sys.executable, "-m", "corpusforge", "explain", str(lab / "read.yaml")]
    done = subprocess.run([*command, "-i", str(lab / "in.jsonl"), "--records", "9", "--json"], capture_output=True)
    assert json.loads(done.stdout)["sampled"] == 9
    assert sorted(lab.rglob("*")) == before
    assert subprocess.run(command, capture_output=True).returncode == 2
    assert subprocess.run([*command, "-i", str(lab / "nowhere")], capture_output=True).returncode == 1


def names(recipe: str, step: str) -> list[list[str]]:
    stages = read_recipe(recipe).pass_named(step).stages
    return [[type(stages[n]).__name__ for n in segment] for segment in segments(needed(stages))]


def test_only_stages_that_do_not_touch_each_other_change_places() -> None:
    before_text = [["UrlRules", "LanguageSniff", "OptOut"], ["MainText"], ["Normalise"], ["MaskPersonal"]]
    assert names("web_ja", "extract") == before_text, "nothing that drops comes between a text and its masks"
    tail = ["TooShort", "TooLong", "GopherRepetition", "GopherQuality"]
    assert names("web_ja", "clean") == [["Language", "NotAPage"], ["NoiseLines"], ["Mojibake"], tail]
    stages = read_recipe("web_ja").pass_named("clean").stages
    assert needed(stages)[-1] == {0, 1, 2, 3, 4}, "TooShort writes `words` too, and the last one to write them stays"


class Made:
    """A stage by what it reads and writes."""

    def __init__(self, reads: str = "", writes: str = "", masks: bool = False) -> None:
        self.reads, self.writes, self.masks = reads.split(), dict.fromkeys(writes.split()), masks


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (Made("text", "drop"), Made("text", "drop"), False),
        (Made("text", "a drop"), Made("text", "b"), False),
        (Made("text", "a"), Made("a", "drop"), True),
        (Made("a", "drop"), Made("text", "a"), True),
        (Made("text", "a"), Made("text", "a"), True),
        (Made("text edits", "text edits"), Made("blocks", "a"), True),
        (Made("html", "a"), Made("text", "text blocks"), False),
        (Made("text", "drop"), Made("drop", "a"), True),
        (Made("html", "a"), Made("url", "b", masks=True), True),
    ],
)
def test_columns_say_what_is_bound(first: Made, second: Made, expected: bool) -> None:
    assert bound(first, second) is expected
    assert bound(second, first) is expected


def test_without_masks_extraction_may_come_before_a_stage_that_drops() -> None:
    text = """corpus: t
passes: [{name: x, source: warc.Warc, stages: [sniff.LanguageSniff, main_text.MainText, normal.Normalise]}]"""
    assert needed(parse_recipe(text).passes[0].stages) == [set(), set(), {1}]


def cost(order: tuple[int, ...], spent: NDArray[np.int64], dropped: NDArray[np.bool_]) -> int:
    left, whole = np.ones(spent.shape[1], bool), 0
    for stage in order:
        whole += int(spent[stage][left].sum())
        left &= ~dropped[stage]
    return whole


@st.composite
def cases(draw: st.DrawFn, most: int) -> Any:
    count, rows = draw(st.integers(2, most)), draw(st.integers(1, 12))
    random = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    spent = random.integers(0, 1000, (count, rows)) * random.integers(1, 50, (count, 1))
    dropped = random.random((count, rows)) < random.random((count, 1))
    before: list[set[int]] = []
    for number in range(count):
        direct = {n for n in range(number) if random.random() < 0.2}
        before.append(direct.union(*(before[n] for n in direct)))
    return spent, dropped, before


@given(cases(5))
def test_no_allowed_order_is_cheaper(case: Any) -> None:
    spent, dropped, before = case
    allowed = [
        order
        for order in permutations(range(len(spent)))
        if all(before[stage] <= set(order[:place]) for place, stage in enumerate(order))
    ]
    found = cheapest(spent, dropped, before)
    assert found in allowed
    assert cost(found, spent, dropped) == min(cost(order, spent, dropped) for order in allowed)
    if cost(found, spent, dropped) == cost(allowed[0], spent, dropped):
        assert found == allowed[0], "nothing moves for nothing"


@settings(max_examples=5)
@given(st.integers(0, 1 << 32))
def test_of_many_stages_the_order_is_never_dearer(seed: int) -> None:
    random = np.random.default_rng(seed)
    spent, dropped = random.integers(0, 1000, (14, 5)), random.random((14, 5)) < 0.1
    found = cheapest(spent, dropped, [set()] * 14)
    assert sorted(found) == list(range(14))
    assert cost(found, spent, dropped) <= cost(tuple(range(14)), spent, dropped)
