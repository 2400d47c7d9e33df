"""Where records begin and end in an archive, plain or compressed, sound or damaged.

What follows a place is a function of the file's bytes from there on: whoever comes to a record's first byte, from the
file's start or from a slice's, reads the same record and goes on to the same next one. A record is sound if its head is
whole and its block is followed by line ends and then a record or the end; in a compressed member, the member must also
pass its check. A record whose head is whole and whose length is wrong ends where the next one begins, or with its
member or file, and is marked; after any other place the walk goes on at the next record, and each such stretch is one
``Lost``.
"""

import io
from collections import Counter
from collections.abc import Callable, Iterator
from typing import BinaryIO, TypeVar

from corpusforge.archive.packing import STEP, Bomb, Damaged, Member, Packing, behind_padding, packing_of
from corpusforge.archive.record import Format, Lost, Record, marked, read_record
from corpusforge.archive.streams import Plain, Section, Stream

Taken = TypeVar("Taken")
CONTEXT = 32
"""Bytes before and behind a mark that show that a record begins there."""


def records(file: BinaryIO, start: int, end: int, keep: int, look_back: int, form: Format) -> Iterator[Record | Lost]:
    """Everything that begins in ``start`` … ``end``.

    The walk starts ``look_back`` bytes before ``start``: an archive inside a record's payload looks like records, but
    whoever comes from before that record goes past it.
    """
    packing = packing_of(file)
    first = max(start - look_back, 0)
    if packing is None:
        walk = plain_records(file, first, end, keep, form)
    else:
        walk = packed_records(file, first, end, keep, form, packing)
    for item in walk:
        if item.begins >= start:
            yield item


def outcomes(
    items: Iterator[Record | Lost], take: Callable[[Record], Taken | str], limit: int | None, passed_over: Counter[str]
) -> Iterator[tuple[Record, Taken]]:
    """What ``take`` makes of each record; reasons why there is nothing are counted as ``source.reason``.

    Ends after ``limit`` records that are content (every reason but ``not_content``).
    """
    left = limit
    for item in items:
        if left == 0:
            return
        if isinstance(item, Lost):
            passed_over[f"source.{item.reason}"] += 1
            continue
        outcome = take(item)
        if isinstance(outcome, str):
            passed_over[f"source.{outcome}"] += 1
        else:
            yield item, outcome
        if left is not None and outcome != "not_content":
            left -= 1


def plain_records(file: BinaryIO, start: int, end: int, keep: int, form: Format) -> Iterator[Record | Lost]:
    """Records of an uncompressed file that begin in ``start`` … ``end``; a stretch without one counts once."""
    context = max(start - 4, 0)
    stream = Stream(Plain(file, context), context)
    lost = start > 0
    while stream.position < start:
        if not stream.seek(form.next, form.mark_bytes + CONTEXT, end):
            return
    while stream.position < end and stream.fill(1):
        begins = stream.position
        read = read_record(stream, keep, form)
        if read.found:
            lost = False
            yield Record(begins, begins, read.length, read.fields, read.block, read.size, read.damage)
            continue
        if not lost:
            lost = True
            strange = begins == 0 and not marked(stream, 0, form)
            yield Lost(begins, f"not_{form.name}" if strange else "broken_record")
        if not stream.seek(form.next, form.mark_bytes + CONTEXT, end):
            return


def packed_records(
    file: BinaryIO, start: int, end: int, keep: int, form: Format, packing: Packing
) -> Iterator[Record | Lost]:
    """Records of a compressed file whose members begin in ``start`` … ``end``.

    Every damaged member that began like a record counts, and every stretch of something else behind a member, except
    padding.
    """
    begins: int | None = next_member(file, start, end, form, packing) if start else behind_padding(file, 0)
    first = begins if start == 0 else None
    size = file.seek(0, io.SEEK_END)
    while begins is not None and begins < end:
        opened = open_member(file, begins, form, packing)
        if opened is None:
            if begins >= size:
                return
            yield Lost(begins, f"not_{form.name}" if begins == first else "broken_record")
            begins = next_member(file, begins + 1, end, form, packing)
            continue
        here, lost = begins, False
        member, stream = opened
        try:
            for item in _member_records(member, stream, here, keep, form):
                yield item
                lost = isinstance(item, Lost)
            behind = behind_padding(file, member.end)
            # A damaged member without a check may have taken the next one for its own bytes.
            astray = lost and behind < size and open_member(file, behind, form, packing) is None
            begins = next_member(file, here + 1, end, form, packing) if astray else behind
        except Damaged as error:
            if not lost:
                yield Lost(here, "bomb" if isinstance(error, Bomb) else "broken_record")
            begins = next_member(file, here + 1, end, form, packing)


def _member_records(member: Member, stream: Stream, begins: int, keep: int, form: Format) -> Iterator[Record | Lost]:
    lost = False
    while stream.fill(1):
        at = stream.position
        read = read_record(stream, keep, form)
        if read.found:
            lost = False
            length = member.end - begins if at == 0 and read.last else read.length
            yield Record(begins, begins + at, length, read.fields, read.block, read.size, read.damage)
            continue
        if not lost:
            lost = True
            yield Lost(begins, "broken_record")
        stream.seek(form.next, form.mark_bytes + CONTEXT)


def open_member(file: BinaryIO, at: int, form: Format, packing: Packing) -> tuple[Member, Stream] | None:
    """The member that begins at ``at``, and its bytes; None unless it inflates to the mark of a record.

    The first ``shown_bytes`` tell; a magic among other bytes would inflate all that follows, and so would the next one.
    """
    file.seek(at)
    if file.read(len(packing.magic)) != packing.magic:
        return None
    section = Section(file, at, at + packing.shown_bytes)
    member = packing.member(section, at)
    stream = Stream(member, 0)
    try:
        if not marked(stream, 0, form):
            return None
    except Damaged:
        return None
    section.widen()
    return member, stream


def next_member(file: BinaryIO, at: int, end: int, form: Format, packing: Packing) -> int | None:
    """Where the next member that begins a record begins, from ``at`` on and before ``end``."""
    overlap = len(packing.magic) - 1
    while at < end:
        file.seek(at)
        window = file.read(min(STEP, end - at) + overlap)
        found = window.find(packing.magic)
        while found >= 0:
            if open_member(file, at + found, form, packing):
                return at + found
            found = window.find(packing.magic, found + 1)
        at += STEP
    return None
