"""Build a corpus as a Ray job: ``ray job submit --working-dir . -- python jobs/build.py RECIPE --input … --root …``.

Takes the options of ``corpusforge build``; the cluster that runs the job does the work.
"""

import sys

from corpusforge.cli import main

if __name__ == "__main__":
    given = sys.argv[1:]
    main(["build", *given, *([] if any(a.startswith("--address") for a in given) else ["--address", "auto"])])
