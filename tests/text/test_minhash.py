"""Shingles and MinHash: what counts as the same text, and signatures bit-equal to datasketch."""

import json
import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from datasketch import LeanMinHash, MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusforge.text import minhash
from corpusforge.text.shingles import Keys, character_classes, is_unspaced, keys_of
from tests.real import real

WAGAHAI = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。"
ENGLISH = "It was the best of times, it was the worst of times, it was the age of wisdom."
# ำ is two code points in a key.
THAI = "ภาษาไทยเป็นภาษาที่ไม่มีการเว้นวรรคระหว่างคำ"
KOREAN = "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다."


def keys(*texts: str, words: int = 5, characters: int = 5) -> Keys:
    return keys_of(texts, words, characters)


def shingle_sets(*texts: str, words: int = 5, characters: int = 5) -> list[set[int]]:
    found = keys(*texts, words=words, characters=characters)
    return [set(found.hashes[a:b].tolist()) for a, b in zip(found.hash_starts, found.hash_starts[1:], strict=False)]


def datasketch_of(hashes: np.ndarray, count: int, seed: int) -> np.ndarray:
    made = MinHash(num_perm=count, seed=seed, scheme=minhash.SCHEME, hashfunc=lambda value: value)
    made.update_batch(hashes.tolist())
    return made.hashvalues


@pytest.mark.parametrize(("count", "seed"), [(112, 1), (112, 42), (260, 1), (1, 7)])
def test_permutations_are_those_of_datasketch(count: int, seed: int) -> None:
    theirs = MinHash(num_perm=count, seed=seed, scheme=minhash.SCHEME).permutations
    assert np.array_equal(minhash.permutations(count, seed), theirs)


@settings(deadline=None)
@given(texts=st.lists(st.text(max_size=60), max_size=5), seed=st.integers(0, 2**32 - 1))
def test_signatures_are_those_of_datasketch(texts: list[str], seed: int) -> None:
    found = keys(*texts, words=2, characters=3)
    table = minhash.signatures(found.hashes, found.hash_starts, 24, seed)
    for n, line in enumerate(table):
        own = found.hashes[found.hash_starts[n] : found.hash_starts[n + 1]]
        assert np.array_equal(line, datasketch_of(own, 24, seed))


def test_datasketch_loads_signatures_of_real_texts() -> None:
    with pa.input_stream(str(real("neardup-aozora/docs.jsonl.zst")), compression="zstd") as file:
        texts = [json.loads(line)["text"] for line in file.read().splitlines()[:12]]
    found = keys(*texts)
    table = minhash.signatures(found.hashes, found.hash_starts, 112, 1)
    theirs = []
    for n in range(len(texts)):
        own = found.hashes[found.hash_starts[n] : found.hash_starts[n + 1]]
        theirs.append(datasketch_of(own, 112, 1))
        assert np.array_equal(table[n], theirs[n])
    ours = [MinHash(hashvalues=line, seed=1, scheme=minhash.SCHEME) for line in table]
    packed = bytearray(LeanMinHash(ours[0]).bytesize())
    LeanMinHash(ours[0]).serialize(packed)
    assert LeanMinHash.deserialize(packed).jaccard(ours[1]) == (table[0] == table[1]).mean()


def test_estimate_is_near_the_true_similarity() -> None:
    words = [f"w{n}" for n in range(400)]
    first, second = " ".join(words[:300]), " ".join(words[60:360])
    a, b = shingle_sets(first, second)
    found = keys(first, second)
    table = minhash.signatures(found.hashes, found.hash_starts, 1024, 1)
    assert (table[0] == table[1]).mean() == pytest.approx(len(a & b) / len(a | b), abs=0.05)


def test_bands_are_equal_exactly_where_their_rows_are() -> None:
    table = np.arange(24, dtype=np.uint32).reshape(1, 24).repeat(2, axis=0)
    table[1, 9] += 1
    key, check = minhash.band_hashes(table, 6)
    assert (key[0] == key[1]).tolist() == (check[0] == check[1]).tolist() == [True, True, False, True, True, True]
    same_rows = np.ones((1, 24), np.uint32)
    assert len(set(minhash.band_hashes(same_rows, 6)[0].ravel().tolist())) == 6


def test_no_false_bucket_among_many_bands() -> None:
    table = np.random.default_rng(1).integers(0, 4, (5000, 8)).astype(np.uint32)
    key, _ = minhash.band_hashes(table, 2)
    for band in range(2):
        rows = {tuple(r) for r in table[:, band * 4 : band * 4 + 4].tolist()}
        assert len(set(key[:, band].tolist())) == len(rows) == 256


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (WAGAHAI, WAGAHAI.replace("。", "。\n\n　")),
        ("ガイドブックがﾊﾞｽで届く", "ｶﾞｲﾄﾞﾌﾞｯｸがバスで届く"),
        ("ガイドブックがバスで届く", unicodedata.normalize("NFD", "ガイドブックがバスで届く")),
        ("Straße ＡＢＣ１２３ is one of these", "STRASSE abc123 IS one of THESE"),
        ("zero\u200bwidth and soft\u00adhyphen in a word", "zerowidth and softhyphen in a word"),
    ],
)
def test_same_text_in_other_dress(one: str, other: str) -> None:
    found = keys(one, other)
    assert found.digests()[0] == found.digests()[1]
    a, b = shingle_sets(one, other)
    assert a == b
    assert a


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("かきのきのかきのみ", "がきのきのかぎのみ"),  # voicing marks are letters of their own
        ("ばすがはしる", "ぱすがはしる"),
        ("価格は1280円です税込", "価格は1380円です税込"),
        ("the price is 12 dollars today", "the price is 13 dollars today"),
        ("résumé of the applicant is here", "resume of the applicant is here"),
    ],
)
def test_different_texts_stay_different(one: str, other: str) -> None:
    found = keys(one, other)
    assert found.digests()[0] != found.digests()[1]
    a, b = shingle_sets(one, other)
    assert a != b


def test_punctuation_counts_for_exact_only() -> None:
    one, other = "operator+ of the class vector in the library", "operator- of the class, vector in the library!"
    found = keys(one, other)
    assert found.digests()[0] != found.digests()[1]
    a, b = shingle_sets(one, other)
    assert a == b


@pytest.mark.parametrize(("text", "count"), [(WAGAHAI, 26), (ENGLISH, 14), (THAI, 40), (KOREAN, 6)])
def test_shingles_are_words_where_words_are_spaced(text: str, count: int) -> None:
    assert keys(text).shingles().tolist() == [count]


def test_script_decides_which_length_counts() -> None:
    mixed = "Python 3.13 のリリースノートを読んでみたところ変更が多い"
    found = keys(mixed, WAGAHAI, ENGLISH, words=3, characters=7)
    # Python, 3, 13 and 22 lone characters; 30 characters; 18 words.
    assert found.shingles().tolist() == [3 + 22 - 6, 30 - 6, 18 - 2]


@pytest.mark.parametrize("text", ["", "   \n", "猫", "吾輩は猫", "one two three four", "!!! ??? …"])
def test_short_texts_have_no_shingle(text: str) -> None:
    assert keys(text).shingles().tolist() == [0]
    assert keys(text, WAGAHAI).shingles()[1] == 26


def test_one_shingle_is_enough() -> None:
    assert keys("吾輩は猫だ", "one two three four five").shingles().tolist() == [1, 1]


def test_space_only_has_no_character() -> None:
    assert keys("", " \n\u3000\u200b", "a b").characters().tolist() == [0, 0, 2]


@settings(deadline=None)
@given(texts=st.lists(st.text(), max_size=6))
def test_a_text_alone_has_the_keys_it_has_in_a_batch(texts: list[str]) -> None:
    together = shingle_sets(*texts)
    assert together == [shingle_sets(t)[0] for t in texts]
    assert keys(*texts).digests() == [keys(t).digests()[0] for t in texts]


@settings(deadline=None)
@given(text=st.text())
def test_form_of_composition_changes_nothing(text: str) -> None:
    forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKC", "NFKD")]
    assert len(set(keys(*forms).digests())) == 1


def test_order_of_words_matters_within_a_shingle() -> None:
    a, b = shingle_sets("a b c d e", "e d c b a")
    assert not a & b


def test_unspaced_scripts() -> None:
    codes = np.array([ord(c) for c in "猫カがไກကក々aé한1。、"], np.uint32)
    assert is_unspaced(codes).tolist() == [True] * 8 + [False] * 6
    assert len(character_classes()) == 0x110000
