"""The score card of a fitted extractor, in Markdown."""

from collections.abc import Sequence

from corpusforge.extract.fit.fitting import Score

HEAD = """# Extractor

A network of {weights:,} weights and {words:,} scores of names, fitted by `corpusforge fit extractor` to {pages:,}
pages.

{note}

Word F1 on pages of sites that the model was not shown (five folds by site; a mean over sites; letters of scripts
without spaces count as words). `best` is what choosing exactly the blocks that are mostly main text would give.

| pages with truth | pages | sites | F1 | best |
|---|---:|---:|---:|---:|
"""


def card(scores: Sequence[Score], weights: int, words: int, pages: int, note: str) -> str:
    """The card of a model with so many weights and scores of names, fitted to so many pages."""
    rows = [f"| {s.group} | {s.pages:,} | {s.sites:,} | {s.f1:.3f} | {s.most:.3f} |" for s in scores]
    return HEAD.format(weights=weights, words=words, pages=pages, note=note) + "\n".join(rows) + "\n"
