"""Kill workers, drivers and the whole Ray at random moments, twenty times, and compare digests: ``make soak``.

Every build is made to end by going on with it; all must end with the digest of an undisturbed serial run, and no unit
may be started after its manifest exists.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil

from corpusforge.demo.write import write
from tests.real import DATA

KINDS = ("worker", "driver", "ray", "two drivers")
PATIENCE = 900


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--limit", type=int, default=300)
    parser.add_argument("--recipe", default="web_multi")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given = parser.parse_args()
    chance = random.Random(given.seed)
    folder = Path(tempfile.mkdtemp(prefix="corpusforge-soak-"))
    command = [given.recipe, "--limit", str(given.limit), "--workers", "2", "--input", str(inputs(folder))]
    print(f"soak: seed {given.seed}, in {folder}")
    started = time.monotonic()
    expected = build(command, folder / "calm", "serial")
    seconds = time.monotonic() - started
    print(f"undisturbed: {expected['digest'][:16]}, {expected['documents']} documents, {seconds:.0f} s")
    done: Counter[str] = Counter()
    builds = 0
    while sum(done.values()) < given.kills:
        root = folder / f"build-{builds}"
        disturbed(command, root, chance, done, given.kills, seconds)
        found = build(command, root, "ray")
        check(found, expected, root)
        builds += 1
        print(f"build {builds}: digest equal after {dict(done)}", flush=True)
        shutil.rmtree(root)
    print(f"soak passed: {sum(done.values())} kills in {builds} builds: {dict(done)}")


def inputs(folder: Path) -> Path:
    """The real WARC files where they are, else a large demo input."""
    if (DATA / "warc").is_dir():
        return DATA / "warc"
    print("the real data is not here; using the demo input (set CORPUSFORGE_DATA for real pages)")
    write(folder / "demo", pages=1200)
    return folder / "demo"


def build(command: list[str], root: Path, pool: str) -> dict[str, Any]:
    """Build to the end and verify."""
    done = subprocess.run(
        [*CLI, "build", *command, "--root", str(root), "--pool", pool, "--json"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def disturbed(
    command: list[str], root: Path, chance: random.Random, done: Counter[str], kills: int, seconds: float
) -> None:
    """Run one build, killing something a few times while it lasts."""
    for _ in range(chance.randint(2, 5)):
        if sum(done.values()) >= kills:
            return
        kind = chance.choice(KINDS)
        drivers = [start(command, root) for _ in range(2 if kind == "two drivers" else 1)]
        time.sleep(chance.uniform(4, max(8, seconds * 0.6)))
        if any(driver.poll() is not None for driver in drivers):
            for driver in drivers:
                driver.wait(PATIENCE)
            return
        if strike(kind, drivers, chance):
            done[kind] += 1
        if kind in ("worker", "two drivers"):
            for driver in drivers:
                driver.wait(PATIENCE)
        end(drivers)


def start(command: list[str], root: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*CLI, "build", *command, "--root", str(root)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def strike(kind: str, drivers: list[subprocess.Popen[bytes]], chance: random.Random) -> bool:
    """Kill -9 what ``kind`` says; say whether there was something to kill."""
    tree = psutil.Process(drivers[0].pid)
    below = tree.children(recursive=True)
    if kind == "driver":
        victims = [tree]
    elif kind == "ray":
        victims = below
    else:
        victims = [p for p in below if "ray::Worker" in title(p)]
        victims = [chance.choice(victims)] if victims else []
    for victim in victims:
        try:
            victim.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue
    return bool(victims)


def title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def end(drivers: list[subprocess.Popen[bytes]]) -> None:
    """See that nothing of the disturbed build is left running."""
    for driver in drivers:
        if driver.poll() is None:
            try:
                driver.wait(60)
            except subprocess.TimeoutExpired:
                driver.kill()
                driver.wait()
        for process in psutil.process_iter():
            try:
                if os.getsid(process.pid) == driver.pid:
                    process.kill()
            except (OSError, psutil.Error):
                continue


def check(found: dict[str, Any], expected: dict[str, Any], root: Path) -> None:
    """Equal digests, nothing wrong or undone, and no attempt that began after its unit's manifest."""
    for key in ("digest", "documents", "tokens", "wrong", "undone"):
        if found[key] != expected[key]:
            sys.exit(f"soak FAILED: {key} is {found[key]}, undisturbed {expected[key]}; kept in {root}")
    for manifest in (m for m in root.rglob("*.json") if m.name.count(".") == 1):
        for attempt in {path.name.split(".")[1] for path in manifest.parent.glob(f"{manifest.stem}.*.*")}:
            if int(attempt[:12], 16) / 1000 > manifest.stat().st_mtime + 1:
                sys.exit(f"soak FAILED: attempt {attempt} was begun after {manifest} existed")


CLI = [sys.executable, "-m", "corpusforge"]

if __name__ == "__main__":
    main()
