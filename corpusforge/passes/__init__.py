"""Passes: trips over the data that a recipe names; each gives its engine passes, in order, by ``steps()``."""
