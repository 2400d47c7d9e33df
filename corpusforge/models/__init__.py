"""Small models that ship with the package, and the cache that holds loaded models of a process."""
