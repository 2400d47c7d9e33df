"""Lines that are no content: what sites put around and between the paragraphs of an article."""

from random import Random
from typing import Any

from corpusforge.demo.sentences import SLOT, number, table

KINDS = ("share", "login", "cart", "cookie", "tags", "copyright", "ad", "menu", "related")


def noise_line(kind: str, lang: str, site: str, title: str, rng: Random) -> str:
    """One line of a kind; products and tags of a line are the same under the same letter."""
    own = words(lang)
    pool = "product" if kind == "ad" else "tag"
    picked = dict(zip("abcd", rng.sample(own[pool].split("|"), 4), strict=True))
    picked |= {"site": site, "title": title}

    def fill(name: str) -> str:
        return picked[name] if name in picked else number(name, rng)

    return SLOT.sub(lambda slot: fill(slot[1]), str(rng.choice(own[kind])))


def words(lang: str) -> dict[str, Any]:
    """The site vocabulary of a language."""
    own: dict[str, Any] = table("noise")[lang]
    return own
