"""Every example is in one row, whole, with what is learnt of it; nothing is lost silently."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("jinja2")
pytest.importorskip("transformers")
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.tokens.packing import IGNORED
from corpusforge.train.examples.reading import BadExampleError, Place
from corpusforge.train.examples.source import Examples, ExampleSource, Fitting, Tokens
from tests.real import real
from tests.train.examples.samples import EOD, TALK, file_of, own

pytestmark = pytest.mark.train
PAD = 999
Pairs = list[list[tuple[int, bool]]]


def source_of(examples: Pairs, fitting: Fitting) -> ExampleSource:
    """A source of examples given as (token, whether it is learnt)."""
    flat = [pair for example in examples for pair in example]
    tokens = Tokens(
        np.array([id for id, _ in flat], np.int32),
        np.array([target for _, target in flat], np.bool_),
        np.cumsum([0, *map(len, examples)], dtype=np.int64),
        [Place("f.jsonl", n + 1) for n in range(len(examples))],
    )
    return ExampleSource("s", tokens, PAD, fitting, {})


examples_of_any_length = st.lists(
    st.lists(st.tuples(st.integers(0, 50), st.booleans()), min_size=1, max_size=20).map(
        lambda body: [(7, False), *body]
    ),
    min_size=1,
    max_size=30,
)


@given(examples_of_any_length, st.integers(4, 24), st.sampled_from(["drop", "cut"]), st.booleans())
def test_every_example_is_in_one_row_whole(examples: Pairs, sequence: int, too_long: str, packing: bool) -> None:
    source = source_of(examples, Fitting(too_long, packing))  # type: ignore[arg-type]
    seen: list[int] = []
    for position in range(source.positions(sequence)):
        rows = source.row(position, sequence)
        assert rows.inputs.shape == rows.labels.shape == rows.positions.shape == rows.documents.shape == (1, sequence)
        found = source.examples(position, sequence)
        assert packing or len(found) == 1
        for document, (number, file, line) in enumerate(found):
            assert (file, line) == ("f.jsonl", number + 1)
            at = rows.documents[0] == document
            kept = examples[number][: sequence + 1]
            assert rows.inputs[0][at].tolist() == [id for id, _ in kept[:-1]]
            assert rows.labels[0][at].tolist() == [id if target else IGNORED for id, target in kept[1:]]
            assert rows.positions[0][at].tolist() == list(range(len(kept) - 1))
            seen.append(number)
        padding = rows.documents[0] == len(found)
        assert (rows.inputs[0][padding] == PAD).all()
        assert (rows.labels[0][padding] == IGNORED).all()
        assert (rows.documents[0] <= len(found)).all()
    assert len(seen) == len(set(seen))
    left_out = set(range(len(examples))) - set(seen)
    learns = [any(target for _, target in example[1 : sequence + 1]) for example in examples]
    fits = [len(example) - 1 <= sequence for example in examples]
    assert left_out == {n for n in range(len(examples)) if not (fits if too_long == "drop" else learns)[n]}
    summary = source.summary(sequence)
    assert summary.examples == len(seen)
    assert sum(summary.dropped.values()) == len(left_out)
    assert summary.cut == sum(not fits[n] for n in seen)


def test_long_examples_are_counted_never_silent() -> None:
    short, late = [(1, False), (2, True)], [(1, False)] * 6 + [(2, True)]
    early = [(1, False), (2, True), *[(3, False)] * 6]
    dropped = source_of([short, late, early], Fitting("drop")).summary(4)
    assert (dropped.examples, dropped.dropped, dropped.cut) == (1, {"too_long": 2}, 0)
    cut = source_of([short, late, early], Fitting("cut")).summary(4)
    assert (cut.examples, cut.dropped, cut.cut) == (2, {"cut_before_response": 1}, 1)
    assert (cut.tokens, cut.target_tokens, cut.rows, cut.fill) == (5, 2, 2, 5 / 8)


def test_a_source_of_files(tmp_path: Path) -> None:
    tokenizer = own(tmp_path)
    path = file_of(tmp_path, [{"messages": TALK}, "{", {"prompt": "Q", "completion": "A"}])
    source = Examples(files=(path,), template="instruction_ja", allow_bad=1).read("talk", tokenizer)
    assert source.shapes == {"messages": 1, "completion": 1}
    assert [line.partition(":")[0] for line in source.bad] == [f"{path}, line 2"]
    rows = source.row(0, 512)
    learnt = rows.labels[0][rows.labels[0] != IGNORED].tolist()
    lines = [line for _, _, line in source.examples(0, 512)]
    assert lines == [1, 3]
    assert tokenizer.decode(learnt) == f"東京です。{EOD}富士山 is high.{EOD}A{EOD}"
    assert (rows.inputs[0][rows.documents[0] == 2] == tokenizer.eod).all()
    assert source.positions(512) == 1


def test_what_a_template_refuses_counts_among_the_bad_lines(tmp_path: Path) -> None:
    answered = [*TALK[1:3], {"role": "tool", "content": "x"}, TALK[4]]
    path = file_of(tmp_path, [{"messages": TALK}, {"messages": answered}])
    examples = Examples(files=(path,), template="instruction_en")
    with pytest.raises(BadExampleError, match="line 2: the template instruction_en refuses the turns"):
        examples.read("talk", own(tmp_path))


def test_the_digest_follows_what_is_learnt_and_nothing_else(tmp_path: Path) -> None:
    tokenizer = own(tmp_path)
    records = [{"prompt": "Q", "completion": "A"}, {"messages": TALK}]
    path = file_of(tmp_path, records, "a.jsonl")
    (tmp_path / "elsewhere").mkdir()
    moved = file_of(tmp_path / "elsewhere", ["", *records], "b.jsonl")

    def digest(file: str, **changed: str | bool) -> str:
        settings = {"template": "instruction_ja", **changed}
        return Examples(files=(file,), **settings).read("talk", tokenizer).digest  # type: ignore[arg-type]

    assert digest(path) == digest(moved)
    others = [
        digest(path, template="instruction_en"),
        digest(path, turns="last"),
        digest(path, too_long="cut"),
        digest(path, packing=False),
        digest(file_of(tmp_path, records[:1], "c.jsonl")),
        digest(file_of(tmp_path, records[::-1], "d.jsonl")),
    ]
    assert len({digest(path), *others}) == 7


def test_a_row_that_is_not_there_is_named(tmp_path: Path) -> None:
    source = source_of([[(1, False), (2, True)]], Fitting())
    with pytest.raises(IndexError, match="s has 1 rows of 4 tokens; there is no row 1"):
        source.row(1, 4)
    assert source_of([[(1, False), (2, True)]] * 3, Fitting()).positions(2) == 2


@pytest.mark.real
def test_real_japanese_questions_fill_their_rows(tmp_path: Path) -> None:
    questions = ElementTree.parse(real("../evaldata/niilc/NIILC-ECQA2015_test.xml")).getroot()
    pairs = [(question.findtext("text"), question.findtext("answers/answer")) for question in questions]
    records = [{"instruction": asked, "input": "", "output": answer} for asked, answer in pairs if asked and answer]
    tokenizer = own(tmp_path)
    path = file_of(tmp_path, records)
    source = Examples(files=(path,), template="instruction_ja").read("questions", tokenizer)
    summary = source.summary(2048)
    assert summary.examples == len(records)
    assert summary.fill > 0.9
    for position in range(source.positions(2048)):
        labels = source.row(position, 2048).labels[0]
        lines = [line for _, _, line in source.examples(position, 2048)]
        answers = "".join(records[line - 1]["output"] + EOD for line in lines)
        assert tokenizer.decode(labels[labels != IGNORED].tolist()) == answers
