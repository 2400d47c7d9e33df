"""Pretrain as a Ray job: ``ray job submit --working-dir . -- python jobs/pretrain.py CONFIG --root ROOT``.

Takes the options of ``corpusforge train pretrain``; the cluster that runs the job does the work.
"""

import sys

from corpusforge.cli import main

if __name__ == "__main__":
    main(["train", "pretrain", *sys.argv[1:]])
