"""``python -m corpusforge`` is the command line."""

from corpusforge.cli import main

if __name__ == "__main__":
    main()
