"""The verbs: what the command line, jobs and ``import corpusforge`` do, one concern a file."""
