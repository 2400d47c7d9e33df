"""Stages: one measurement, edit or judgement on a batch; every row stays, in order, and depends on itself only.

A stage is a frozen, validated dataclass with ``__call__(batch) -> batch``. Its fields are its configuration, its
docstring its documentation, its import path its registration::

    @dataclass(frozen=True, config=STRICT)
    class KanaShare:
        "Measure the share of kana; drop documents below ``at_least``."

        at_least: float = 0.1
        revision: ClassVar[int] = 1
        reads: ClassVar[tuple[str, ...]] = ("text",)
        writes: ClassVar[dict[str, pa.DataType]] = {"kana_share": pa.float32(), "drop": pa.string()}

        def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
            shares = [kana_share(text) for text in batch["text"].to_pylist()]
            drop = ["little_kana" if share < self.at_least else None for share in shares]
            return put(self, batch, kana_share=shares, drop=drop)
"""

from collections.abc import Sequence
from typing import Any, Protocol

import pyarrow as pa
from pydantic import ConfigDict

STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)
"""Configuration of every stage's dataclass: an unknown field is an error."""


class Stage(Protocol):
    """What a stage is; five class attributes may be left out.

    ``built_on``: libraries whose version changes the output. ``models``: models by digest. ``data``: paths of files
    whose content changes the output. ``unrecorded``: True for a stage of the extraction pass that changes text before
    it is first written, and so without edits. ``masks``: True for a stage that masks personal data.
    """

    revision: int

    @property
    def reads(self) -> tuple[str, ...]: ...
    @property
    def writes(self) -> dict[str, pa.DataType]: ...
    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch: ...


def put(stage: Any, batch: pa.RecordBatch, **columns: Sequence[Any] | pa.Array) -> pa.RecordBatch:
    """Set columns of a batch, with the types that the stage declares in ``writes``.

    ``drop`` takes bare reasons: they become ``Stage.reason``, and a reason that already stands is never changed.
    """
    result = {name: batch.column(name) for name in batch.schema.names}
    for name, values in columns.items():
        if name == "drop":
            values = marked(batch, values, prefix=f"{type(stage).__name__}.")
        result[name] = values if isinstance(values, pa.Array) else pa.array(values, stage.writes[name])
    return pa.RecordBatch.from_arrays(list(result.values()), list(result))


def marked(batch: pa.RecordBatch, reasons: Sequence[str | None] | pa.Array, prefix: str = "") -> pa.Array:
    """The ``drop`` column with new reasons put where none stands yet."""
    given = reasons.to_pylist() if isinstance(reasons, pa.Array) else reasons
    before: Sequence[str | None] = [None] * batch.num_rows
    if "drop" in batch.schema.names:
        before = batch["drop"].to_pylist()
    rows = zip(before, given, strict=True)
    return pa.array([old or (f"{prefix}{new}" if new else None) for old, new in rows], pa.string())
