"""Units one after the other in this process: for tests, debugging and a single unit that is left."""

from collections.abc import Iterator

from corpusforge.engine.attempt import Work, new_attempt
from corpusforge.engine.retry import History
from corpusforge.engine.unit import Failed, Manifest, Unit
from corpusforge.storage import Unwritable


class SerialPool:
    """The smallest pool. It has no worker to lose: a record that kills its process kills this one."""

    def run(self, work: Work, units: Iterator[Unit]) -> Iterator[Manifest | Failed]:
        for unit in units:
            yield _try(work, unit)


def _try(work: Work, unit: Unit) -> Manifest | Failed:
    history = History()
    while True:
        try:
            return work.attempt(unit, new_attempt(), history.skip)
        except BaseException as error:
            # A panic of a Rust library is no Exception.
            if isinstance(error, KeyboardInterrupt | SystemExit | Unwritable):
                raise
            again = history.raised(cause_of(error))
            stands = work.place.manifest(work.step.name, unit.name)
            if stands:
                return stands
            if not again:
                return Failed(work.step.name, unit.name, tuple(history.causes), describe(unit))


def cause_of(error: BaseException) -> str:
    """An exception and the notes that name its stage and document, in one line."""
    notes = "; ".join(getattr(error, "__notes__", ()))
    text = f"{type(error).__name__}: {error}".strip()
    return f"{text} ({notes})" if notes else text


def describe(unit: Unit) -> str:
    """What a unit reads, in a few words, for the list of failed units."""
    pieces = unit.spec.get("slices")
    if pieces:
        more = f" and {len(pieces) - 1} more" if len(pieces) > 1 else ""
        return f"{pieces[0]['name']} bytes {pieces[0]['start']}-{pieces[0]['end']}{more}"
    return f"{len(unit.reads)} files, {unit.bytes} bytes"
