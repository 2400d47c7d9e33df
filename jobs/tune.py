"""Tune on instructions as a Ray job: ``ray job submit --working-dir . -- python jobs/tune.py CONFIG --root ROOT``.

Takes the options of ``corpusforge train sft``. In a job the cluster that runs it does the work, else a local Ray.
"""

import os
import sys

from corpusforge.cli import main

if __name__ == "__main__":
    given = sys.argv[1:]
    here = "RAY_ADDRESS" in os.environ and not any(a.startswith("--address") for a in given)
    main(["train", "sft", *given, *(["--address", "auto"] if here else [])])
