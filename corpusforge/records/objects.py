"""JSON objects, one a line."""

import json
import re
from typing import Any

import orjson

SURROGATE = re.compile("[\ud800-\udfff]")


def parsed(line: bytes) -> tuple[dict[str, Any], bool] | str:
    """The object of a line and whether half a surrogate pair in it became U+FFFD; else ``bad_json`` or ``not_utf8``."""
    try:
        value, halved = orjson.loads(line), False
    except orjson.JSONDecodeError:
        try:
            value, halved = _with_python(line)
        except UnicodeDecodeError:
            return "not_utf8"
        except (ValueError, RecursionError):
            return "bad_json"
    return (value, halved) if isinstance(value, dict) else "bad_json"


def _with_python(line: bytes) -> tuple[Any, bool]:
    """Python's own reader also takes NaN and Infinity, as Python itself writes them, and halves of surrogate pairs."""
    value = json.loads(line.decode())
    dumped = json.dumps(value, ensure_ascii=False)
    if not SURROGATE.search(dumped):
        return value, False
    return json.loads(SURROGATE.sub("\ufffd", dumped)), True
