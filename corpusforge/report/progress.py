"""Progress of a build: what is coming, what was done, what failed, and what to paste next."""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

PLAIN_SECONDS = 5.0
"""Where nobody watches a terminal, one line is written this often at most."""
DAMAGE = (
    *("source.broken_record", "source.broken_archive", "source.broken_page", "source.broken_json", "source.bomb"),
    *("source.damaged", "source.damaged_archive", "source.damaged_compression", "source.large_window"),
    *("source.bad_json", "source.not_utf8", "source.not_warc", "source.not_arc", "source.not_arrow"),
    *("source.not_parquet", "source.not_wiki"),
)
"""Reasons that say that a file cannot be read as it was written, so that more may be lost than is counted. Bodies that
cannot be decoded and doubtful charsets are not among them: every crawl has some, and each is one page."""


class Progress:
    """Listens to a build; a live line on a terminal, elsewhere plain lines that name corpus, version and pass.

    ``quiet`` says only what failed, ``verbose`` a line for every unit.
    """

    def __init__(self, console: Console, quiet: bool = False, verbose: bool = False) -> None:
        self._console, self._quiet, self._verbose = console, quiet, verbose
        self._live: Live | None = None
        self._step = self._place = ""
        self._left = self._done = 0
        self._bytes = 0
        self._started = self._said = time.monotonic()
        self._counts: Counter[str] = Counter()

    def __call__(self, event: str, facts: Mapping[str, Any]) -> None:
        handler = getattr(self, f"_on_{event}", None)
        if handler:
            handler(**facts)

    def _on_start(self, plan: Any, place: Any, worker: str) -> None:
        for note in plan.notes:
            self._say(note)
        if not self._console.is_terminal:
            self._place = f"{plan.recipe.corpus}/{place.version}/"
        size = sum(given["bytes"] for given in plan.making.inputs)
        self._say(
            f"building {plan.recipe.corpus}/{place.version}: {counted(len(plan.making.inputs), 'file')}, "
            f"{size / 1e6:,.1f} MB, {worker}, into {place.store.root}/{place.version}"
        )

    def _on_plan(self, step: str, units: int, done: int, adopted: int) -> None:
        self._flush()
        self._step, self._left, self._done = step, units - done - adopted, 0
        self._started = self._said = time.monotonic()
        self._counts, self._bytes = Counter(), 0
        there = f", {done} done before" if done else ""
        taken = f", {adopted} adopted from another version" if adopted else ""
        if self._left:
            self._say(f"{self._place}{step}: {counted(units, 'unit')}{there}{taken}")
            if self._console.is_terminal and not self._quiet:
                self._live = Live(console=self._console, refresh_per_second=4, transient=True)
                self._live.start()
        elif adopted:
            self._say(
                f"{self._place}{step}: {counted(adopted, 'unit')} adopted from another version, nothing left to do"
            )

    def _on_done(self, step: str, manifest: Any) -> None:
        self._done += 1
        self._counts.update(manifest.counts)
        self._bytes += sum(f.bytes for f in manifest.files)
        if self._verbose:
            self._say(f"{self._place}{step}/{manifest.unit}: {_unit(manifest)}")
        line = self._line()
        if self._live:
            self._live.update(Text(line))
        elif time.monotonic() - self._said >= PLAIN_SECONDS or self._done == self._left:
            self._said = time.monotonic()
            self._say(line)

    def _on_failed(self, step: str, failed: Any) -> None:
        line = f"FAILED {self._place}{step}/{failed.unit} ({failed.reads}): {failed.causes[-1]}"
        self._console.print(Text(line), soft_wrap=True)

    def _on_note(self, line: str) -> None:
        of_unit = bool(self._step) and line.startswith(f"{self._step}/")
        self._say(f"{self._place}{line}" if of_unit else line)

    def _on_end(self, run: Any) -> None:
        self._flush()
        out = f"; {counted(run.left_out, 'unit')} left out for good" if run.left_out else ""
        found = run.report.counts
        self._say(
            f"{run.corpus}/{run.version}: {found['kept']:,} of {counted(found['records'], 'record')} kept, "
            f"{found['tokens']:,} tokens{out}"
        )
        if found["records"] and not found["kept"]:
            reasons = sorted(run.report.drops().items(), key=lambda told: (-told[1], told[0]))
            listed = ", ".join(f"{reason} {count:,}" for reason, count in reasons[:5])
            self._console.print(Text(f"warning: nothing was kept: {listed}"), soft_wrap=True)
        if damage := ", ".join(
            f"{reason} {count:,}" for reason, count in run.report.drops().items() if reason in DAMAGE
        ):
            where = f"`corpusforge report {run.address}` says in which files"
            self._console.print(Text(f"warning: input is damaged: {damage}; {where}"), soft_wrap=True)
        if not run.worked:
            self._say(f"nothing was left to do: every unit was done before ({run.seconds:.1f} s)")
        else:
            self._say(f"done in {run.seconds:.1f} s")

    def stop(self) -> None:
        """Take the live line down, whatever happened."""
        self._flush()

    def _line(self) -> str:
        seconds = max(time.monotonic() - self._started, 1e-3)
        records = self._counts["records"] or self._counts["documents"]
        dropped = sum(v for k, v in self._counts.items() if k.startswith("drop."))
        parts = [f"{self._place}{self._step}: {self._done}/{counted(self._left, 'unit')}"]
        if records:
            parts.append(f"{counted(records, 'record')} ({records / seconds:,.0f}/s), {dropped:,} dropped")
        parts.append(f"{self._bytes / 1e6:,.1f} MB written ({self._bytes / 1e6 / seconds:,.1f} MB/s)")
        if self._done < self._left:
            parts.append(f"ETA {seconds / self._done * (self._left - self._done):,.0f} s")
        return ", ".join(parts)

    def _flush(self) -> None:
        if self._live:
            self._live.stop()
            self._live = None
            if self._done:
                self._say(self._line())

    def _say(self, line: str) -> None:
        if self._quiet:
            return
        self._console.print(Text(line), soft_wrap=True)


def _unit(manifest: Any) -> str:
    """A unit that is done, in words."""
    counts = manifest.counts
    records = counts.get("records", 0) or counts.get("documents", 0)
    dropped = sum(v for k, v in counts.items() if k.startswith("drop."))
    told = f"{counted(records, 'record')}, {dropped:,} dropped, " if records else ""
    size = sum(f.bytes for f in manifest.files) / 1e6
    return (
        f"{told}{size:,.1f} MB in {manifest.cost.get('seconds', 0):,.1f} s on {manifest.cost.get('host', 'this host')}"
    )


def counted(number: int, noun: str) -> str:
    """A number and its noun: ``1 file``, ``2 files``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
