"""The demo's input, made by the project itself: web archives of invented pages, and the truth of what was planted."""


from corpusforge.demo.truth import Page, Truth, Value
from corpusforge.demo.write import write

__all__ = ["Page", "Truth", "Value", "write"]
