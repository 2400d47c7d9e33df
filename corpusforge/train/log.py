"""The log of a run: one JSON line a step, a validation or an event, and the loss of every sample at its place.

Files in ``RUN/log/``: ``steps.jsonl``, ``validation.jsonl``, ``events.jsonl`` (UTF-8, append-only) and ``losses.f32``.
Rank 0 writes them. A line that a killed writer left torn is closed by the next one; readers skip and count it.
After a crash or a rewind steps come again: a line takes the place of every earlier line of its step or a later one.
"""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import orjson

STEPS, VALIDATION, EVENTS, LOSSES = "steps.jsonl", "validation.jsonl", "events.jsonl", "losses.f32"
KINDS = ("start", "resume", "checkpoint", "spike", "skip", "rewind", "early_stop", "best", "stop", "failed")
"""Kinds of events."""
COLUMNS = ("first", "samples", "tokens", "loss", "lr", "grad_norm", "seconds", "wait", "memory", "mfu")
"""What a line of a step holds beside ``step``, ``attempt`` and ``sources``; see ``RunLog.step`` for the units."""
CHUNK = 10_000
"""Lines parsed at once."""
ODD_KEYS = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY
NONE = 0
"""The bits of a sample's loss where none was written: holes of a sparse file read so. A loss of 0 is stored as -0."""

Column = npt.NDArray[np.float64]


class RunLog:
    """Writes the log of one attempt at a run; each line is with the system when the call returns."""

    def __init__(self, folder: str | os.PathLike[str], attempt: int) -> None:
        log = Path(folder, "log")
        log.mkdir(parents=True, exist_ok=True)
        self._attempt = attempt
        self._files = {name: _appending(log / name) for name in (STEPS, VALIDATION, EVENTS)}
        self._losses = os.open(log / LOSSES, os.O_RDWR | os.O_CREAT, 0o666)

    def __enter__(self) -> "RunLog":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def step(
        self,
        step: int,
        first: int,
        samples: int,
        tokens: int,
        loss: float,
        lr: float,
        grad_norm: float | None,
        seconds: float,
        wait: float,
        memory: int | None,
        mfu: float | None,
        sources: Mapping[str, float],
    ) -> None:
        """One step, counted from 0: it read ``samples`` samples from the global sample ``first`` on, ``tokens`` in all.

        Losses are means in nats a predicted token; ``seconds`` is the whole step, ``wait`` the part of it that waited
        for data; ``memory`` is the device's peak in bytes, ``mfu`` a share of 1. None is what was not measured.
        """
        values = (first, samples, tokens, loss, lr, grad_norm, seconds, wait, memory, mfu)
        self._write(STEPS, {"step": step, **dict(zip(COLUMNS, values, strict=True)), "sources": sources})

    def validation(self, step: int, sources: Mapping[str, Mapping[str, float]], mean: Mapping[str, float]) -> None:
        """One evaluation after ``step`` steps: ``loss`` (nats a token), ``bits_per_byte``, ``tokens`` and ``bytes`` of
        each source, and ``loss`` and ``bits_per_byte`` over all."""
        self._write(VALIDATION, {"step": step, "mean": mean, "sources": sources})

    def event(self, kind: str, step: int, text: str, **facts: Any) -> None:
        """What happened, of one of ``KINDS``, in words for people and facts for programs."""
        if kind not in KINDS:
            raise ValueError(f"an event of kind {kind!r} is not known; use one of {', '.join(KINDS)}")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        # A fact of an odd type must not end the run that it tells of.
        told = {name: value if _is_plain(value) else str(value) for name, value in facts.items()}
        self._write(EVENTS, {"step": step, "kind": kind, "time": now, "text": text, "facts": told})

    def losses(self, first: int, losses: Sequence[float] | npt.NDArray[Any]) -> None:
        """The mean loss of each sample from the global sample ``first`` on, in nats a predicted token; NaN for none."""
        values = np.array(losses, dtype="<f4")
        values[values == 0] = -0.0
        data = memoryview(values.tobytes())
        written = 0
        while written < len(data):
            written += os.pwrite(self._losses, data[written:], 4 * first + written)

    def close(self) -> None:
        """Close the files; a closed log takes no more lines."""
        for file in self._files.values():
            file.close()
        if self._losses >= 0:
            os.close(self._losses)
            self._losses = -1

    def _write(self, name: str, facts: Mapping[str, Any]) -> None:
        self._files[name].write(line_of({"attempt": self._attempt, **facts}))
        self._files[name].flush()


def line_of(facts: Mapping[str, Any]) -> bytes:
    """One line of JSON; a number that is not finite is null, and ``not_finite`` tells its name and what it was."""
    odd = dict(_not_finite(facts, ""))
    told = {**facts, "not_finite": odd} if odd else facts
    return orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE | ODD_KEYS)


def _is_plain(value: Any) -> bool:
    try:
        orjson.dumps(value, option=ODD_KEYS)
    except orjson.JSONEncodeError:
        return False
    return True


def _not_finite(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _not_finite(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, float | np.floating) and not math.isfinite(value):
        yield name, str(value)


def _appending(path: Path) -> BinaryIO:
    """Open a file of lines to append to; a line that has no end gets one."""
    with open(path, "a+b") as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
    return open(path, "ab")


@dataclass(frozen=True)
class Rows:
    """Lines of a log, each step once; ``torn`` lines could not be read, ``repeated`` ones were done again later."""

    rows: tuple[dict[str, Any], ...]
    torn: int
    repeated: int


@dataclass(frozen=True)
class Steps:
    """The steps of a run as columns of one length, NaN where a value was not finite or not measured.

    ``attempt`` is the one that did a step, ``columns`` are those of ``COLUMNS``, ``sources`` the loss of each source.
    """

    step: npt.NDArray[np.int64]
    attempt: npt.NDArray[np.int64]
    columns: dict[str, Column]
    sources: dict[str, Column]
    torn: int
    repeated: int

    def __len__(self) -> int:
        return len(self.step)


def steps_of(folder: str | os.PathLike[str]) -> Steps:
    """Every step of a run; a million take a few seconds and 100 MB."""
    numbers: list[npt.NDArray[np.int64]] = [np.empty(0, np.int64)]
    attempts: list[npt.NDArray[np.int64]] = [np.empty(0, np.int64)]
    parts: dict[str, list[Column]] = {name: [np.empty(0)] for name in COLUMNS}
    sources: dict[str, list[Column]] = {}
    torn = read = 0
    for rows, bad in _chunks(Path(folder, "log", STEPS)):
        torn += bad
        numbers.append(np.array([row["step"] for row in rows], np.int64))
        attempts.append(np.array([row.get("attempt", 1) for row in rows], np.int64))
        for name in COLUMNS:
            parts[name].append(_column([row.get(name) for row in rows]))
        losses = [row.get("sources") or {} for row in rows]
        for name in sorted(set().union(*losses)):
            column = _column([loss.get(name) for loss in losses])
            sources.setdefault(name, [np.full(read, math.nan)]).append(column)
        read += len(rows)
        for pieces in sources.values():
            missing = read - sum(map(len, pieces))
            if missing:
                pieces.append(np.full(missing, math.nan))
    step = np.concatenate(numbers)
    kept = _last(step)
    columns = {name: np.concatenate(pieces)[kept] for name, pieces in parts.items()}
    by_source = {name: np.concatenate(pieces)[kept] for name, pieces in sorted(sources.items())}
    attempt = np.concatenate(attempts)[kept]
    return Steps(step[kept], attempt, columns, by_source, torn, len(step) - int(kept.sum()))


def validations_of(folder: str | os.PathLike[str]) -> Rows:
    """Every evaluation of a run, in the form of ``RunLog.validation``."""
    rows, torn = _all(Path(folder, "log", VALIDATION))
    kept = _last(np.array([row["step"] for row in rows], np.int64))
    return Rows(tuple(row for row, good in zip(rows, kept, strict=True) if good), torn, int((~kept).sum()))


def events_of(folder: str | os.PathLike[str]) -> Rows:
    """Every event of a run in the order of writing; none takes another's place."""
    rows, torn = _all(Path(folder, "log", EVENTS))
    return Rows(tuple(rows), torn, 0)


def losses_of(folder: str | os.PathLike[str], first: int, count: int) -> npt.NDArray[np.float32]:
    """The mean loss of ``count`` samples from ``first`` on, in nats a predicted token; NaN where none was written."""
    found = np.full(count, math.nan, dtype="<f4")
    path = Path(folder, "log", LOSSES)
    if path.exists():
        with open(path, "rb") as file:
            file.seek(4 * first)
            data = file.read(4 * count)
        whole = len(data) // 4
        found[:whole] = np.frombuffer(data, "<f4", whole)
    found[found.view("<u4") == NONE] = math.nan
    return found


def _chunks(path: Path) -> Iterator[tuple[list[dict[str, Any]], int]]:
    """The lines of a file that can be read, many at a time, and how many could not."""
    if not path.exists():
        return
    with open(path, "rb") as file:
        while lines := list(islice(file, CHUNK)):
            try:
                # One call for all lines is three times as fast as one for each.
                found = orjson.loads(b"[%b]" % b",".join(lines))
            except orjson.JSONDecodeError:
                found = [_parsed(line) for line in lines]
            rows = [row for row in found if isinstance(row, dict) and isinstance(row.get("step"), int)]
            yield rows, len(lines) - len(rows)


def _parsed(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return None


def _all(path: Path) -> tuple[list[dict[str, Any]], int]:
    chunks = list(_chunks(path))
    return [row for rows, _ in chunks for row in rows], sum(torn for _, torn in chunks)


def _column(values: list[Any]) -> Column:
    """Numbers as a column; null becomes NaN."""
    return np.array(values, dtype=np.float64)


def _last(step: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which lines stand: those after which no line of the same or an earlier step was written."""
    kept = np.ones(len(step), dtype=np.bool_)
    if len(step) > 1:
        lowest_after = np.minimum.accumulate(step[::-1])[::-1][1:]
        kept[:-1] = step[:-1] < lowest_after
    return kept
