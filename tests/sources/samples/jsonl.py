"""Lines of JSON of many data sets, and lines that are none."""

import json
from pathlib import Path

settings = [{"columns": {"score": "float64", "metadata.language": "string"}}]


def sample(folder: Path) -> Path:
    lines = [
        json.dumps(
            {"text": "最初の文章です。" * 40, "url": "https://a.example/1", "timestamp": "2019-04-25T12:57:54Z"}
        ),
        json.dumps({"id": "d-2", "text": "two", "metadata": {"url": "https://a.example/2", "language": "en"}}),
        json.dumps(
            {"content": "三つ目\nの文章", "warc_headers": {"warc-record-id": "<urn:uuid:3>"}}, ensure_ascii=False
        ),
        json.dumps({"id": 4, "text": "four", "title": "Four", "license": "CC0-1.0", "score": 0.25}),
        "",
        '{"id": "five", "text": "five", "loss": NaN}\r',
        '{"id": "six", "text": "half of \\ud83d a pair"}',
        "{no JSON",
        '{"id": "eight", "text": ""}',
        json.dumps({"id": "nine", "text": "long " * 3000, "score": "no number"}),
        '{"id": "ten", "text": "the last line has no end"}',
    ]
    path = folder / "sample.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + "\n".join(lines).encode())
    return path
