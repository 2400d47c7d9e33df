"""Prove that a stage keeps the contract; use it in the tests of your own stages.

::

    prove(KanaShare(at_least=0.2), batch)
"""

import pickle
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from corpusforge.schema import is_free_text
from corpusforge.text.edits import replay

IDENTITY = ("id", "url", "source_file", "source_offset", "source_length")
"""Columns that no stage may change."""
BATCH_ROWS = 256


def prove(stage: Any, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Raise ``AssertionError`` saying which rule the stage breaks on this batch; give what the stage makes of it.

    The rules: hashable, revision an int, pickles before and after a call; same rows in the same order, identity
    untouched, declared columns with declared types and no others, the first drop reason stands, reasons carry the
    stage's name; pure; a batch of 1, of 256, the whole and none give the same rows; changes of ``text`` are recorded
    in ``edits`` (stages of the extraction pass, where nothing is recorded yet, say ``unrecorded = True``). A stage that
    ``masks`` may also change strings of columns that are in no contract.
    """
    _prove_object(stage, batch)
    copied = pa.RecordBatch.from_pylist(batch.to_pylist(), batch.schema)
    before = pickle.dumps(stage)
    result = stage(batch)
    _check(batch.equals(copied), stage, "changes the batch it was given")
    _check(pickle.loads(pickle.dumps(stage)) == stage, stage, "is another one after a call and pickling")
    _check(pickle.dumps(stage) == before, stage, "holds state after a call")
    _check(_same(stage(batch), result), stage, "gives another result the second time")
    _check(_same(pickle.loads(before)(batch), result), stage, "gives another result after pickling")
    _prove_rows(stage, batch, result)
    for size in (1, BATCH_ROWS):
        pieces = [stage(piece) for piece in _pieces(batch, size)]
        joined = pa.Table.from_batches(pieces, result.schema).combine_chunks().to_pylist()
        _check(repr(joined) == repr(result.to_pylist()), stage, f"gives other rows in batches of {size}")
    empty = stage(batch.slice(0, 0))
    _check(empty.num_rows == 0 and empty.schema.equals(result.schema), stage, "gives another schema for no rows")
    return result


def _check(holds: bool, stage: Any, breach: str) -> None:
    if not holds:
        raise AssertionError(f"{type(stage).__name__} {breach}")


def _same(one: pa.RecordBatch, other: pa.RecordBatch) -> bool:
    # Not equals(): a NaN is the same measurement as a NaN.
    return one.schema.equals(other.schema) and repr(one.to_pylist()) == repr(other.to_pylist())


def _pieces(batch: pa.RecordBatch, size: int) -> Iterator[pa.RecordBatch]:
    for start in range(0, batch.num_rows, size):
        yield batch.slice(start, size)


def _prove_object(stage: Any, batch: pa.RecordBatch) -> None:
    _check(isinstance(hash(stage), int), stage, "is not hashable")
    revision = type(stage).revision
    _check(isinstance(revision, int) and not isinstance(revision, bool), stage, "has a revision that is no int")
    missing = set(stage.reads) - set(batch.schema.names)
    _check(not missing, stage, f"reads columns that the given batch lacks: {sorted(missing)}")


def _prove_rows(stage: Any, batch: pa.RecordBatch, result: pa.RecordBatch) -> None:
    _check(result.num_rows == batch.num_rows, stage, f"makes {result.num_rows} rows of {batch.num_rows}")
    for name in batch.schema.names:
        _check(name in result.schema.names, stage, f"takes away the column {name}")
        may_mask = getattr(stage, "masks", False) and is_free_text(batch.schema.field(name))
        if name in IDENTITY or (name not in stage.writes and not may_mask):
            _check(result[name].equals(batch[name]), stage, f"changes {name}, which it does not write")
    new = set(result.schema.names) - set(batch.schema.names) - set(stage.writes)
    _check(not new, stage, f"writes columns that it does not declare: {sorted(new)}")
    for name, kind in stage.writes.items():
        _check(name in result.schema.names, stage, f"does not write {name}")
        _check(result.schema.field(name).type == kind, stage, f"writes {name} as {result.schema.field(name).type}")
    if "drop" in result.schema.names:
        _prove_drops(stage, batch, result)
    if "text" in batch.schema.names and not getattr(stage, "unrecorded", False):
        _prove_edits(stage, batch, result)


def _prove_drops(stage: Any, batch: pa.RecordBatch, result: pa.RecordBatch) -> None:
    after = result["drop"].to_pylist()
    before = batch["drop"].to_pylist() if "drop" in batch.schema.names else [None] * len(after)
    for old, new in zip(before, after, strict=True):
        _check(old is None or old == new, stage, f"changes the drop reason {old} to {new}")
        named = new is None or old is not None or new.startswith(f"{type(stage).__name__}.")
        _check(named, stage, f"gives the reason {new}, which does not carry its name")


def _prove_edits(stage: Any, batch: pa.RecordBatch, result: pa.RecordBatch) -> None:
    edits = result["edits"].to_pylist() if "edits" in result.schema.names else [None] * batch.num_rows
    earlier = batch["edits"].to_pylist() if "edits" in batch.schema.names else [None] * batch.num_rows
    texts = zip(batch["text"].to_pylist(), result["text"].to_pylist(), earlier, edits, strict=True)
    for row, (old, new, known, made) in enumerate(texts):
        known, made = known or [], made or []
        _check(made[: len(known)] == known, stage, f"changes earlier edits in row {row}")
        _check((old is None) == (new is None), stage, f"changes text to or from null in row {row}")
        if old is not None:
            _check(replay(new, made[len(known) :]) == old, stage, f"changes text in row {row} in a way its edits miss")
