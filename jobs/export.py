"""Export a run's model as a Ray job: ``ray job submit --working-dir . -- python jobs/export.py RUN FOLDER``.

Takes the options of ``corpusforge train export``.
"""

import sys

from corpusforge.cli import main

if __name__ == "__main__":
    main(["train", "export", *sys.argv[1:]])
