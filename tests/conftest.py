"""Settings that hold for every test."""

from hypothesis import settings

# A shared machine may stop for a second; a slow example says nothing about what it tests. The same examples every
# time: what fails has been changed by its commit. `make fuzz` searches with new ones.
settings.register_profile("corpusforge", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, derandomize=False, print_blob=True)
settings.load_profile("corpusforge")
