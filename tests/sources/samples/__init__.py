"""A sample file for every source, in a module of the source's name: ``sample(folder)`` writes it and gives its path.

``settings`` (optional) is a list of fields to try beside the defaults.
"""
