"""Pure functions on text that stages and passes share."""
