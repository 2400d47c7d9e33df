"""Folding by lookup gives what ``unicodedata`` gives, for every character and for any neighbours."""

import unicodedata
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusforge.text.folding import CODES, folded, folds_of_characters, normalise

TROUBLE = "がカ\u3099ﾊﾞﾟ㈱…①ｱﾞ각ᄀ\u1161\u11a8é\u0301\u0323ßİΣςﬁ½ําำ\u0e49❤\ufe0f\u200d葛\U000e0100𝒜\U0002f800\u0344\n"
TEXTS = st.lists(st.one_of(st.text(), st.text(alphabet=TROUBLE)), max_size=6)


def strings(texts: list[str]) -> list[str]:
    codes, starts = folded(texts)
    ends = pairwise(starts.tolist())
    return ["".join(map(chr, codes[first:last].tolist())) for first, last in ends]


@settings(max_examples=300, deadline=None)
@given(texts=TEXTS)
def test_batch_equals_each_text_normalised(texts: list[str]) -> None:
    assert strings(texts) == [normalise(text) for text in texts]


def test_every_character_folds_alone_as_in_unicodedata() -> None:
    characters = [chr(code) for code in range(CODES) if not 0xD800 <= code < 0xE000]
    assert strings(characters) == [normalise(c) for c in characters]


def test_whatever_changes_beside_a_neighbour_is_joining() -> None:
    joining = folds_of_characters().joining
    for code in range(CODES):
        # What stands first in a text joins what is before it, or it is no mark at all.
        if 0xD800 <= code < 0xE000 or joining[code]:
            continue
        assert not unicodedata.combining(unicodedata.normalize("NFKD", chr(code))[0])
    composed = [unicodedata.normalize("NFD", chr(code)) for code in range(0x30000) if not 0xD800 <= code < 0xE000]
    tails = {ord(c) for text in composed for c in text[1:]}
    assert joining[np.array(sorted(tails))].all()
    common = "日本語のテキスト、ＡＢＣ…㈱①②：～abc DEF ÄÖÜß한국어 Русский"
    assert not joining[[ord(c) for c in common]].any()
