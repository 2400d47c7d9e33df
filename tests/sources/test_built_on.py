"""The libraries that decide what a source reads are part of what it computes."""

import pytest

from corpusforge.passes.specs import spec_of
from corpusforge.sources import aozora, arc, arrow, conversations, corpus, jsonl, pages, parquet, plain, warc, wat, wet
from corpusforge.sources.wiki import Wiki

STREAMS = {"lz4", "zlib-ng", "zstandard"}


@pytest.mark.parametrize(
    ("source", "libraries"),
    [
        (aozora.Aozora(), STREAMS | {"chardet"}),
        (arc.Arc(), STREAMS | {"chardet", "fastwarc"}),
        (arrow.Arrow(), {"pyarrow"}),
        (conversations.Conversations(), STREAMS | {"orjson"}),
        (corpus.Corpus(), {"pyarrow"}),
        (jsonl.Jsonl(), STREAMS | {"orjson"}),
        (pages.Pages(), STREAMS | {"chardet"}),
        (parquet.Parquet(), {"pyarrow"}),
        (plain.PlainText(), STREAMS | {"chardet"}),
        (warc.Warc(), STREAMS | {"chardet", "fastwarc"}),
        (wat.Wat(), STREAMS),
        (wet.Wet(), STREAMS | {"chardet"}),
        (Wiki(), STREAMS | {"mwparserfromhell"}),
    ],
)
def test_a_source_names_what_it_reads_with(source: object, libraries: set[str]) -> None:
    built_on = spec_of(source)["built_on"]
    assert set(built_on) == libraries
    assert "missing" not in built_on.values()
