"""The model is modified Kneser-Ney to the letter, whatever the order of its documents, and its file brings it back."""

import math
import tarfile
from collections import Counter
from decimal import Context, Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from zstandard import ZstdDecompressor

from corpusforge.text.ngram import NGram, from_bytes, natural_log
from corpusforge.text.ngram_fit import HIGHEST_ORDER, fit
from tests.real import real

VOCABULARY = 5
SEQUENCES = st.lists(st.lists(st.integers(0, VOCABULARY - 1), max_size=12), max_size=8)
CONTEXTS = st.lists(st.integers(0, VOCABULARY - 1), max_size=6)
ORDERS = st.integers(1, 5)


class Slow:
    """The formulas of the paper in fractions and dictionaries: nothing is stored, each chance recurs to the bottom."""

    def __init__(self, sequences: list[list[int]], order: int, vocabulary: int) -> None:
        self.order, self.vocabulary = order, vocabulary
        plain: dict[int, Counter[tuple[int, ...]]] = {n: Counter() for n in range(1, order + 1)}
        for ids in sequences:
            padded = [-1, *ids]
            for n in plain:
                plain[n].update(tuple(padded[at : at + n]) for at in range(len(padded) - n + 1))
        del plain[1][(-1,)]
        self.counts = {order: plain[order]}
        for n in range(1, order):
            before = Counter(ngram[1:] for ngram in plain[n + 1])
            self.counts[n] = Counter({g: plain[n][g] if g[0] == -1 else before[g] for g in plain[n]})
        self.discounts = {n: self._discounts(n) for n in self.counts}

    def _discounts(self, n: int) -> list[Fraction]:
        of = [0, *(sum(count == c for count in self.counts[n].values()) for c in (1, 2, 3, 4))]
        if all(of[1:]):
            share = Fraction(of[1], of[1] + 2 * of[2])
            found = [c - (c + 1) * share * Fraction(of[c + 1], of[c]) for c in (1, 2, 3)]
            if min(found) > 0:
                return found
        return [Fraction(1, 2), Fraction(1), Fraction(3, 2)]

    def chance(self, context: tuple[int, ...], id: int) -> Fraction:
        n = len(context) + 1
        below = self.chance(context[1:], id) if context else Fraction(1, self.vocabulary)
        after = {g[-1]: count for g, count in self.counts[n].items() if g[:-1] == context}
        if not after:
            return below
        total, taken = sum(after.values()), [self.discounts[n][min(count, 3) - 1] for count in after.values()]
        own = after[id] - self.discounts[n][min(after[id], 3) - 1] if id in after else Fraction(0)
        return (own + sum(taken) * below) / total

    def chances(self, ids: list[int]) -> list[Fraction]:
        padded = [-1, *ids]
        starts = [max(0, at - self.order + 1) for at in range(1, len(padded))]
        return [self.chance(tuple(padded[first:at]), padded[at]) for at, first in enumerate(starts, 1)]


def chances(model: NGram, ids: list[int]) -> list[float]:
    return [math.exp(-cost) for cost in model.nats(ids)]


def after(model: NGram, context: list[int]) -> list[float]:
    """The chance of each id of the vocabulary after a context."""
    return [chances(model, [*context, id])[-1] for id in range(model.vocabulary)]


def test_bigrams_by_hand() -> None:
    """Text 0 1 0 of three ids: bigrams (begin 0) (0 1) (1 0), once each. Before 0 stand two ids, before 1 one."""
    model = fit([[0, 1, 0]], order=2, vocabulary=3)
    unigram = [1 / 2, 1 / 3, 1 / 6]  # (2 - 1) / 3 + w / 3, (1 - 1/2) / 3 + w / 3, w / 3 with w = (1/2 + 1) / 3
    assert after(model, [2]) == pytest.approx(unigram)
    assert after(model, []) == pytest.approx([1 / 2 + unigram[0] / 2, unigram[1] / 2, unigram[2] / 2])
    assert after(model, [0]) == pytest.approx([unigram[0] / 2, 1 / 2 + unigram[1] / 2, unigram[2] / 2])


def test_discounts_by_hand() -> None:
    """Four ids once, two twice, one three and one four times: Y = 4/8, D1 = 1/2, D2 = 5/4, D3 = 1, w = 6.5/15."""
    model = fit([[0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 6, 7, 7, 7, 7]], order=1, vocabulary=10)
    expected = [1.15, 1.15, 1.15, 1.15, 1.4, 1.4, 2.65, 3.65, 0.65, 0.65]
    assert after(model, []) == pytest.approx([part / 15 for part in expected])


@given(SEQUENCES, CONTEXTS, ORDERS)
def test_chances_after_any_context_sum_to_one(sequences: list[list[int]], context: list[int], order: int) -> None:
    found = after(fit(sequences, order, VOCABULARY), context)
    assert sum(found) == pytest.approx(1, abs=1e-6)
    assert min(found) > 0


@given(SEQUENCES, CONTEXTS, ORDERS)
def test_chances_are_those_of_the_paper(sequences: list[list[int]], ids: list[int], order: int) -> None:
    expected = Slow(sequences, order, VOCABULARY).chances(ids)
    assert chances(fit(sequences, order, VOCABULARY), ids) == pytest.approx([float(p) for p in expected], rel=1e-6)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_a_text_large_enough_for_discounts_of_its_own(order: int) -> None:
    random = np.random.default_rng(order)
    texts = [np.minimum(random.geometric(0.15, length) - 1, 29).tolist() for length in (0, 1, 2, 40, 100, 150)]
    slow = Slow(texts, order, 40)
    fallback = Slow([], order, 40).discounts[1]
    assert [n for n in slow.discounts if slow.discounts[n] != fallback], "no discount was estimated"
    ids = random.integers(0, 40, 60).tolist() + texts[-1]
    assert chances(fit(texts, order, 40), ids) == pytest.approx([float(p) for p in slow.chances(ids)], rel=1e-6)


@given(SEQUENCES, ORDERS, st.data())
def test_the_order_of_sequences_changes_nothing(sequences: list[list[int]], order: int, data: st.DataObject) -> None:
    other = data.draw(st.permutations(sequences))
    assert fit(other, order, VOCABULARY).to_bytes() == fit(sequences, order, VOCABULARY).to_bytes()


@given(SEQUENCES, CONTEXTS, ORDERS)
def test_a_file_brings_the_model_back(sequences: list[list[int]], ids: list[int], order: int) -> None:
    model = fit(sequences, order, VOCABULARY)
    again = from_bytes(model.to_bytes())
    assert (again.order, again.vocabulary, again.digest) == (order, VOCABULARY, model.digest)
    assert again.nats(ids).tolist() == model.nats(ids).tolist()


@given(SEQUENCES, CONTEXTS, ORDERS, st.data())
def test_what_follows_changes_no_cost(
    sequences: list[list[int]], ids: list[int], order: int, data: st.DataObject
) -> None:
    model = fit(sequences, order, VOCABULARY)
    cut = data.draw(st.integers(0, len(ids)))
    assert model.nats(ids[:cut]).tolist() == model.nats(ids).tolist()[:cut]


def test_only_the_ids_just_before_count() -> None:
    model = fit([np.random.default_rng(1).integers(0, 4, 300)], order=3, vocabulary=4)
    assert model.nats([0, 1, 2, 3, 1, 0]).tolist()[3:] == model.nats([3, 3, 1, 2, 3, 1, 0]).tolist()[4:]


def test_an_unseen_id_costs_more_than_any_seen_one_and_breaks_nothing() -> None:
    model = fit([[0, 1, 0, 1, 1, 2]] * 3, order=3, vocabulary=100)
    costs = model.nats([0, 1, 99, 99, 0, 1])
    assert costs[2] > max(-math.log(p) for p in after(model, [0, 1])[:3])
    assert np.isfinite(costs).all()
    assert costs[3] == pytest.approx(-math.log(after(model, [99, 99])[50])), "unseen ids share alike"


def test_types_of_ids_do_not_matter() -> None:
    ids = [0, 255, 3, 255]
    models = [fit([np.array(ids, dtype)], 3, 256) for dtype in (np.uint8, np.uint16, np.int64, ">i4")]
    assert len({model.digest for model in models}) == 1
    assert models[0].nats(np.array(ids, np.uint8)).tolist() == models[0].nats(ids).tolist()


def test_no_text_at_all_makes_every_id_as_likely() -> None:
    assert after(fit([], order=3, vocabulary=4), [1, 2]) == pytest.approx([0.25] * 4)
    assert fit([[]], order=3, vocabulary=4).nats([]).shape == (0,)


def test_the_file_is_for_ever() -> None:
    """Its digest on this input: another one means that models of earlier versions no longer compare."""
    model = fit([list(b"to be or not to be, that is the question"), list(b"to be is to do")], 4, 256)
    assert model.digest == "92025f62ab14c68c81b44ec5d87cbe8a081debcf7e086cb98c4f1a09c39ec5b9"
    assert math.fsum(model.nats(list(b"to be or to do"))).hex() == "0x1.38c120727cb78p+3"


@pytest.mark.parametrize("ids", [[0, 5], [-1, 0], [[0, 1]], [0.5]])
def test_ids_that_are_none_are_refused(ids: list[object]) -> None:
    with pytest.raises(ValueError, match=r"outside the vocabulary of 5|one row of whole numbers"):
        fit([ids], 2, VOCABULARY)  # type: ignore[list-item]
    with pytest.raises(ValueError, match=r"outside the vocabulary of 5|one row of whole numbers"):
        fit([[0, 1]], 2, VOCABULARY).nats(ids)  # type: ignore[arg-type]


@pytest.mark.parametrize(("order", "vocabulary"), [(0, 5), (HIGHEST_ORDER + 1, 5), (2, 0), (2, 2**31)])
def test_orders_and_vocabularies_out_of_range_are_refused(order: int, vocabulary: int) -> None:
    with pytest.raises(ValueError, match=f"order {order} must be .* vocabulary {vocabulary}"):
        fit([[0]], order, vocabulary)


def test_a_file_that_is_no_model_is_refused() -> None:
    data = fit([[0, 1, 2]], 2, VOCABULARY).to_bytes()
    for wrong, message in (
        (b"", "not an n-gram model"),
        (b"[]\n", "not an n-gram model"),
        (data.replace(b'"format"', b'"formal"'), "not an n-gram model"),
        (data[:-1], "damaged"),
        (data.replace(b'"order":2', b'"order":3'), "damaged"),
        (data[:-1] + bytes([data[-1] ^ 1]), "damaged"),
        (data.replace(b"ngram-1", b"ngram-9"), "fit it anew"),
    ):
        with pytest.raises(ValueError, match=message):
            from_bytes(wrong)


@given(st.floats(1e-300, 1e300))
def test_the_logarithm_is_right_to_four_units_in_the_last_place(value: float) -> None:
    exact = Decimal(value).ln(Context(prec=40))
    found = natural_log(value)
    assert abs(Decimal(found) - exact) <= 4 * Decimal(math.ulp(found))


@pytest.mark.real
def test_bytes_of_japanese_news() -> None:
    """The first 2 000 articles, every tenth held out; a 5-gram of bytes needs about 1.9 bits a byte, a unigram 5.2."""
    with (
        real("text-ja-livedoor-news/livedoor-news.tar.zst").open("rb") as raw,
        tarfile.open(fileobj=ZstdDecompressor().stream_reader(raw), mode="r|") as archive,
    ):
        contents = (archive.extractfile(member) for member in archive if member.isfile() and member.size > 600)
        texts = [np.frombuffer(content.read(), np.uint8) for content, _ in zip(contents, range(2000), strict=False)]
    known, unseen = [text for n, text in enumerate(texts) if n % 10], texts[::10]
    bits = {}
    for order in (1, 5):
        model = fit(known, order, 256)
        bits[order] = math.fsum(model.nats(text).sum() for text in unseen) / sum(map(len, unseen)) / math.log(2)
    assert bits[5] == pytest.approx(1.9, abs=0.15)
    assert bits[1] == pytest.approx(5.2, abs=0.2)
