"""Arrow schemas of the contracts, and the constants that make Parquet bytes the same everywhere."""

import pyarrow as pa

BLOCK = pa.struct(
    [
        ("path", pa.string()),
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("links", pa.uint8()),
        ("score", pa.uint8()),
    ]
)
"""One block of extracted text: DOM path, code-point range, share of link characters and score, both in 1/255."""

EDIT = pa.struct(
    [
        ("stage", pa.string()),
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("removed", pa.string()),
        ("put", pa.string()),
    ]
)
"""One change of text after the extraction pass; offsets in code points of the text that the stage saw."""

MASKED = pa.struct([("kind", pa.string()), ("start", pa.int32()), ("length", pa.int32())])
"""One masked place: kind, where the mask stands in the written text, length of what it hides, in code points."""

SOURCE = pa.schema(
    [
        ("id", pa.string()),
        ("url", pa.string()),
        ("date", pa.string()),
        ("html", pa.large_binary()),
        ("charset", pa.string()),
        ("charset_by", pa.string()),
        ("charset_score", pa.float32()),
        ("licence", pa.string()),
        ("source_file", pa.string()),
        ("source_offset", pa.int64()),
        ("source_length", pa.int64()),
        ("drop", pa.string()),
    ]
)
"""What a source of pages hands on. ``html`` is UTF-8 whatever the page was in; ``charset``, ``charset_by`` and
``charset_score`` say what it was in, which evidence decided and how sure that is (0 to 1, in hundredths)."""

TEXTS = pa.schema(
    [
        ("id", pa.string()),
        ("url", pa.string()),
        ("date", pa.string()),
        ("title", pa.string()),
        ("text", pa.large_string()),
        ("charset", pa.string()),
        ("charset_by", pa.string()),
        ("charset_score", pa.float32()),
        ("licence", pa.string()),
        ("source_file", pa.string()),
        ("source_offset", pa.int64()),
        ("source_length", pa.int64()),
        ("drop", pa.string()),
    ]
)
"""What a source of texts hands on: as ``SOURCE``, with the text itself in place of a page."""

DOCUMENT = pa.schema(
    [
        ("id", pa.string()),
        ("url", pa.string()),
        ("date", pa.string()),
        ("text", pa.large_string()),
        ("lang", pa.string()),
        ("lang_score", pa.float32()),
        ("licence", pa.string()),
        ("source_file", pa.string()),
        ("source_offset", pa.int64()),
        ("source_length", pa.int64()),
        ("blocks", pa.list_(BLOCK)),
        ("edits", pa.list_(EDIT)),
        ("drop", pa.string()),
    ]
)
"""The columns every finished document has; each measurement adds a named, typed column of its own."""

DECISION = pa.schema(
    [
        ("row", pa.int64()),
        ("reason", pa.string()),
        ("survivor_id", pa.string()),
        ("similarity", pa.float32()),
        ("cluster_id", pa.string()),
        ("cluster_size", pa.int32()),
        ("band", pa.int16()),
    ]
)
"""What dedup returns beside each shard, one line per row that has a twin; ``reason`` is null for the survivor."""

TOKEN_DOCUMENT = pa.schema(
    [
        ("document", pa.int64()),
        ("id", pa.string()),
        ("token_start", pa.int64()),
        ("token_count", pa.int32()),
        ("url", pa.string()),
        ("source_file", pa.string()),
        ("source_offset", pa.int64()),
        ("source_length", pa.int64()),
        ("lang", pa.string()),
        ("licence", pa.string()),
        ("split", pa.string()),
        ("cluster_size", pa.int32()),
    ]
)
"""The sidecar of a token shard: one line per sequence of the ``.bin``, EOD counted."""

TOKEN_ENDS = pa.schema([("word_ends", pa.list_(pa.int32())), ("sentence_ends", pa.list_(pa.int32()))])
"""What the sidecar has besides where ``boundaries`` asks for it: tokens of the document up to the end of each word or
sentence, ascending, the last ``token_count`` - 1; an end inside a token is not there."""

PARQUET_OPTIONS = {
    "compression": "zstd",
    "compression_level": 3,
    "version": "2.6",
    "data_page_version": "1.0",
    "use_dictionary": False,
    "write_statistics": True,
    "store_schema": True,
}
"""Writer options of every Parquet file: other options give other bytes."""

ROW_GROUP_ROWS = 1024
"""Rows of a row group, exactly, the last one of a file apart: other group sizes give other bytes."""

NOT_FREE = frozenset((*SOURCE.names, *TEXTS.names, *DOCUMENT.names, "parent", "masked"))
"""The columns of the contracts, which hold ids, addresses and measurements; ``parent`` is the id of another text."""


def is_free_text(field: pa.Field) -> bool:
    """Whether a column that is none of the contracts holds strings, also inside lists and structs."""
    return field.name not in NOT_FREE and _has_strings(field.type)


def _has_strings(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _has_strings(kind.value_type)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return True
    return any(_has_strings(kind.field(number).type) for number in range(kind.num_fields))
