"""Canonical JSON and digests: the same value gives the same bytes on every machine."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces; NaN and infinities are refused."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def sha256(data: bytes) -> str:
    """Hex digest of ``data``."""
    return hashlib.sha256(data).hexdigest()


def identity_of(value: Any) -> str:
    """Hex digest of the canonical JSON of ``value``."""
    return sha256(canonical_json(value))


def differences(before: Any, now: Any, where: str) -> Iterator[str]:
    """Where two JSON values differ, in words: the place, what was there and what is there now."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted({*before, *now}):
            yield from differences(before.get(key, "nothing"), now.get(key, "nothing"), f"{where}.{key}")
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for number, (one, other) in enumerate(zip(before, now, strict=True)):
            label = one.get("name") or one.get("use") if isinstance(one, dict) else None
            yield from differences(one, other, f"{where}[{label or number}]")
    elif before != now:
        yield f"{where} was {_short(before)} and is now {_short(now)}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"
