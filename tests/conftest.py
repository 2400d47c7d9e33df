"""Settings that hold for every test."""

from hypothesis import settings

# A shared machine may stop for a second; a slow example says nothing about what it tests.
settings.register_profile("corpusforge", deadline=None)
settings.load_profile("corpusforge")
