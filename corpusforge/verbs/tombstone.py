"""Set tombstones: documents that are never trained on again, with everything else left in its place."""

import datetime
from collections.abc import Iterator, Sequence
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from corpusforge.engine.attempt import Place
from corpusforge.engine.run import manifests
from corpusforge.engine.tables import read_rows
from corpusforge.report.render import Address
from corpusforge.tokens.tombstones import Tombstone, add_tombstones, read_tombstones
from corpusforge.verbs.token_source import token_step
from corpusforge.versions import VersionError

SHOWN = 5


def tombstone(
    address: str,
    ids: Sequence[str],
    reason: str,
    date: str | None = None,
    missing: Literal["error", "ignore"] = "error",
) -> int:
    """Forget documents of ``ROOT/CORPUS/VERSION[/PASS]`` by id; gives how many of them the version has tokens of.

    They are forgotten in every version of the corpus, and by a running training when it starts again. An id that is
    forgotten already stays as it is. ``date`` is today if not given. Raises ``VersionError`` for ids that no shard of
    the version has; with ``missing="ignore"`` they are forgotten too, in case another version has them.
    """
    place, parts = Address.locate(address)
    step, wanted = token_step(place, parts.step), list(dict.fromkeys(ids))
    if isinstance(ids, str) or not all(wanted) or not reason.strip():
        raise ValueError("a tombstone needs a list of ids and a reason, none of them empty")
    day = datetime.date.fromisoformat(date) if date else datetime.datetime.now(datetime.UTC).date()
    found = set(_found(place, step["name"], wanted))
    strange = [id for id in wanted if id not in found]
    if strange and missing == "error":
        more = f" and {len(strange) - SHOWN:,} more" if len(strange) > SHOWN else ""
        raise VersionError(
            f"{address} has no tokens of {', '.join(strange[:SHOWN])}{more}, so nothing was forgotten: correct the "
            'ids, or give missing="ignore" to forget them wherever they are'
        )
    known = read_tombstones(place.store)
    added = [Tombstone(id, reason, day.isoformat()) for id in wanted if id not in known]
    if added:
        add_tombstones(place.store, added)
    return len(found)


def _found(place: Place, step: str, ids: Sequence[str]) -> Iterator[str]:
    """Those of the ids that have a row in a sidecar of the pass, of any split."""
    wanted = pa.array(ids, pa.string())
    for file in (file for manifest in manifests(place, step) for file in manifest.files):
        if file.role.endswith(".docs.parquet"):
            with place.store.open(file.path) as opened:
                for batch in read_rows(opened, columns=("id",)):
                    yield from batch["id"].filter(pc.is_in(batch["id"], value_set=wanted)).to_pylist()
