"""Where rows end: names of series, and measurements that are no numbers."""

from pathlib import Path

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.engine.tables import TableWriter
from corpusforge.passes.ledger import Ledger, series_name, stored_schema, swept_schema


@given(st.text(min_size=1), st.text(min_size=1))
def test_two_values_never_share_a_series(one: str, other: str) -> None:
    assert (series_name(one) == series_name(other)) == (one == other)


def test_what_is_no_number_and_no_address_is_counted_too(tmp_path: Path) -> None:
    columns = {"id": pa.string(), "url": pa.string(), "text": pa.large_string(), "share": pa.float32()}
    columns |= {"source_file": pa.string(), "source_offset": pa.int64()}
    schema = stored_schema(columns)
    rows = {
        "id": ["a", "b"],
        "url": ["http://[bad/x", None],
        "text": ["one", "two"],
        "share": [float("nan"), float("inf")],
        "source_file": ["x.warc", "x.warc"],
        "source_offset": [0, 70],
    }
    with (
        (tmp_path / "kept").open("wb") as kept_file,
        (tmp_path / "swept").open("wb") as swept_file,
        TableWriter(kept_file, schema) as kept,
        TableWriter(swept_file, swept_schema(schema)) as swept,
    ):
        ledger = Ledger(kept, swept, ())
        ledger.keep(pa.RecordBatch.from_pydict(rows, pa.schema(list(columns.items()))))
    assert ledger.report.counts["records"] == ledger.report.counts["kept"] == 2
    assert ledger.report.histograms["share"] == {"nan": 1, "inf": 1}
    samples = {s["id"]: (s["source_file"], s["source_offset"]) for s in ledger.report.samples["kept"]}
    assert samples == {"a": ("x.warc", 0), "b": ("x.warc", 70)}
