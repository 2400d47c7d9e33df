"""Build a corpus: ``python jobs/build.py RECIPE --input … --root …``, the command line's ``build`` as a job."""

import sys

from corpusforge.cli import main

if __name__ == "__main__":
    sys.argv.insert(1, "build")
    main()
