"""Texts by number, no two alike, and a recipe that takes them to a corpus."""

RECIPE = """\
corpus: numbered
passes:
  - name: read
    source: {use: jsonl.Jsonl}
    stages:
      - {use: normal.Normalise}
      - {use: language.Language}
  - {name: duplicates, use: dedup}
  - {name: corpus, use: corpus}
"""
WORDS = ["sea", "hill", "house", "bird", "stone", "river", "night", "glass", "tree", "road", "wind", "bread"]


def text(number: int) -> str:
    return " ".join(WORDS[(number * (place + 3) + place * place) % len(WORDS)] + str(number) for place in range(40))
