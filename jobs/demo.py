"""The demo: pages with planted noise, duplicates and personal data become a corpus, and what was found is counted."""

import argparse
import shutil
from pathlib import Path

from rich.text import Text

from corpusforge import api
from corpusforge.demo.score import lines, score
from corpusforge.demo.write import write
from corpusforge.report import render
from corpusforge.report.progress import Progress


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", default="out", help="folder that keeps corpora (default: out)")
    parser.add_argument("--pages", type=int, default=400)
    given = parser.parse_args()
    console = render.console()
    folder = Path(given.root, "demo-input")
    console.print(f"writing about {given.pages} demo pages as WARC files into {folder} ...")
    shutil.rmtree(folder, ignore_errors=True)
    truth = write(folder, pages=given.pages)
    progress = Progress(console)
    try:
        run = api.build("web_multi", [str(folder)], given.root, name="demo", listen=progress)
    finally:
        progress.stop()
    render.show(console, run.address, api.report(run.address))
    for line in lines(score(truth, run.documents(), api.dropped(run.address))):
        console.print(Text(line))
    console.print()
    console.print(Text(f"corpus:  {run.address}/corpus/"))
    for line in api.next_commands(run):
        console.print(Text(line))


if __name__ == "__main__":
    main()
