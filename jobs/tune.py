"""Tune on instructions as a Ray job: ``ray job submit --working-dir . -- python jobs/tune.py CONFIG --root ROOT``.

Takes the options of ``corpusforge train sft``; the cluster that runs the job does the work.
"""

import sys

from corpusforge.cli import main

if __name__ == "__main__":
    main(["train", "sft", *sys.argv[1:]])
