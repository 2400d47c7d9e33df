"""What became of examples and of held-out text is said, and told to programs, whenever a run starts."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("jinja2")
pytest.importorskip("transformers")
pytestmark = pytest.mark.train

from corpusforge.train.config import Config  # noqa: E402
from corpusforge.train.examples.source import Examples, ExampleSource  # noqa: E402
from corpusforge.train.notes import facts, told  # noqa: E402
from corpusforge.train.plan import check_patience, read_plan  # noqa: E402
from corpusforge.verbs.train import prepare  # noqa: E402
from tests.train.examples.samples import file_of, own  # noqa: E402
from tests.train.runs import config, shard  # noqa: E402

SHORT, LONG = {"prompt": "q", "completion": "はい。"}, {"prompt": "q", "completion": "はい。" * 400}


def of(folder: Path, **changes: Any) -> Config:
    data = {"sources": {"chat": {"examples": ["x.jsonl"]}}, "sequence": 64}
    return config(folder, data=data, objective={"use": "instruction"}, **changes)


def read(folder: Path, records: list[Any], name: str, **how: Any) -> ExampleSource:
    made = Examples((file_of(folder, records, name),), template="chatml", **how)
    return made.read("chat", own(folder))


def test_dropped_examples_and_bad_lines_are_told(tmp_path: Path) -> None:
    source = read(tmp_path, [SHORT, LONG, "garbage", LONG, *[SHORT] * 6], "x.jsonl", allow_bad=1)
    held_out = read(tmp_path, [LONG], "v.jsonl")
    given = of(tmp_path), {"chat": source}, {"chat": held_out}
    rows, fill = source.positions(64), source.summary(64).fill
    assert told(*given) == [
        f"chat: 7 examples in {rows} rows of 64 tokens, {fill:.0%} full; 2 dropped (longer than a sample); 1 bad lines "
        "passed over",
        f"chat: {source.bad[0]}",
        "held out of chat: 0 examples in 0 rows of 64 tokens, 0% full; 1 dropped (longer than a sample)",
        "no held-out text of a whole sample in chat: nothing of it is validated",
    ]
    assert "x.jsonl, line 3: no JSON" in source.bad[0]
    counted = json.loads(json.dumps(facts(*given)))["examples"]
    found = counted["train"]["chat"]
    assert (found["examples"], found["rows"], found["dropped"], found["bad"]) == (7, rows, {"too_long": 2}, 1)
    assert (found["shapes"], found["digest"]) == ({"completion": 9}, source.digest)
    assert counted["validation"]["chat"]["dropped"] == {"too_long": 1}


def test_cut_examples_are_told(tmp_path: Path) -> None:
    late = {"prompt": "q" * 400, "completion": "はい。"}
    source = read(tmp_path, [SHORT, LONG, late], "x.jsonl", too_long="cut")
    (line,) = told(of(tmp_path), {"chat": source}, {})
    assert line.endswith("; 1 dropped (cut before anything that is learnt); 1 cut at their end")


def test_many_bad_lines_are_not_all_listed(tmp_path: Path) -> None:
    source = read(tmp_path, ["garbage"] * 30 + [SHORT], "x.jsonl", allow_bad=30)
    lines = told(of(tmp_path), {"chat": source}, {})
    assert (len(lines), lines[-1]) == (22, "chat: and 10 more bad lines")


def test_patience_needs_a_whole_row_of_held_out_examples(tmp_path: Path) -> None:
    waits = of(tmp_path, validation={"patience": 2})
    check_patience(waits, {"chat": read(tmp_path, [SHORT], "v.jsonl")})
    check_patience(of(tmp_path), {})
    with pytest.raises(ValueError, match=r"validation.patience is 2 and nothing is validated"):
        check_patience(waits, {"chat": read(tmp_path, [LONG], "w.jsonl")})


def test_held_out_text_that_is_too_short_is_told(tmp_path: Path) -> None:
    shard(tmp_path / "held", 1, 3)
    made = config(tmp_path)
    made = replace(made, data=replace(made.data, sequence=128))
    plan = read_plan(prepare(made, tmp_path, lambda line: None))
    opened = {name: source.source("train") for name, source in plan.sources.items()}  # type: ignore[union-attr]
    assert told(made, opened, plan.held_out()) == [
        f"no held-out text of a whole sample in {name}: nothing of it is validated" for name in ("a", "b")
    ]
    assert facts(made, opened, plan.held_out()) == {}
