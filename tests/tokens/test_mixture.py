"""Samples are drawn by weight; what was drawn never depends on what is appended; no place needs a replay."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.tokens.mixture import PERIOD, Mixture, Segment

WEIGHTS = st.dictionaries(st.sampled_from("abcdef"), st.floats(1e-3, 1e3), min_size=1)
STEPS = st.lists(st.tuples(st.integers(1, 3 * PERIOD), WEIGHTS), min_size=1, max_size=4)


def segments_of(steps: list[tuple[int, dict[str, float]]]) -> list[Segment]:
    starts = np.cumsum([0, *(length for length, _ in steps[:-1])]).tolist()
    return [Segment(start, weights) for start, (_, weights) in zip(starts, steps, strict=True)]


def greedy(weights: list[int], samples: int) -> list[int]:
    """The source furthest behind, counted anew for every sample: Megatron-LM's way."""
    had, order = [0] * len(weights), []
    for n in range(1, samples + 1):
        behind = [weight * n - sum(weights) * count for weight, count in zip(weights, had, strict=True)]
        order.append(behind.index(max(behind)))
        had[order[-1]] += 1
    return order


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_who_is_furthest_behind_is_next(weights: list[int]) -> None:
    whole = [weight * PERIOD // sum(weights) for weight in weights]
    whole[0] += PERIOD - sum(whole)
    drawn, _ = Mixture([Segment(0, {str(n): weight for n, weight in enumerate(whole)})]).draws(0, 400)
    assert drawn.tolist() == greedy(whole, 400)


@given(STEPS, st.integers(0, 10**12))
def test_a_place_far_ahead_is_the_one_that_a_replay_finds(steps: Any, far: int) -> None:
    mixture = Mixture(segments_of(steps))
    before = mixture.counts(far)
    assert sum(before.values()) == far
    drawn, nth = mixture.draws(far, 50)
    for source, number, sample in zip(drawn.tolist(), nth.tolist(), range(far, far + 50), strict=True):
        name = mixture.names[source]
        assert before[name] == number
        assert mixture.sample_of(name, number) == sample
        before[name] += 1
    assert mixture.counts(far + 50) == before


@given(STEPS, WEIGHTS, st.integers(1, PERIOD))
def test_what_was_drawn_does_not_depend_on_what_is_appended(steps: Any, weights: dict[str, float], after: int) -> None:
    before = segments_of(steps)
    at = before[-1].from_sample + after
    old, new = Mixture(before), Mixture([*before, Segment(at, weights)])
    for first in {0, max(0, at - 500)}:
        count = min(500, at - first)
        pairs = [m.draws(first, count) for m in (old, new)]
        names = [[m.names[s] for s in found[0]] for m, found in zip((old, new), pairs, strict=True)]
        assert names[0] == names[1]
        assert pairs[0][1].tolist() == pairs[1][1].tolist()


@given(WEIGHTS, st.integers(0, 10**6), st.integers(PERIOD, 3 * PERIOD))
def test_shares_are_the_weights(weights: dict[str, float], first: int, count: int) -> None:
    mixture = Mixture([Segment(0, weights)])
    drawn = Counter(mixture.names[source] for source in mixture.draws(first, count)[0].tolist())
    for name, weight in weights.items():
        share = weight / sum(weights.values())
        assert drawn[name] == pytest.approx(share * count, abs=len(weights) * (3 + count / PERIOD))
        assert drawn[name] >= count // PERIOD


def test_many_light_sources_leave_room_for_each_other() -> None:
    weights = {"heavy": 1e9, **{str(n): 1.0 for n in range(1000)}}
    drawn = Counter(Mixture([Segment(0, weights)]).draws(0, PERIOD)[0].tolist())
    assert drawn[0] == PERIOD - 1000
    assert set(drawn.values()) == {PERIOD - 1000, 1}


def test_a_source_that_left_has_no_later_sample() -> None:
    mixture = Mixture([Segment(0, {"a": 1, "b": 1}), Segment(10, {"b": 1, "c": 1})])
    assert mixture.sample_of("a", 4) == 8
    assert mixture.sample_of("a", 5) is None
    assert mixture.names == ("a", "b", "c")


def test_the_state_says_where_each_segment_began() -> None:
    mixture = Mixture([Segment(0, {"a": 3, "b": 1}), Segment(8, {"b": 1})])
    assert mixture.state() == [
        {"from_sample": 0, "weights": {"a": 3, "b": 1}, "counts": {"a": 0, "b": 0}},
        {"from_sample": 8, "weights": {"b": 1}, "counts": {"a": 6, "b": 2}},
    ]


@pytest.mark.parametrize("starts", [[], [1], [0, 0], [0, 5, 4]])
def test_segments_rise_from_sample_0(starts: list[int]) -> None:
    with pytest.raises(ValueError, match="begin at sample 0 and rise"):
        Mixture([Segment(start, {"a": 1}) for start in starts])


@pytest.mark.parametrize("weights", [{"a": 0}, {"a": -1}, {"a": float("nan")}, {"a": float("inf")}])
def test_a_weight_that_is_none_is_refused(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="leave a source out"):
        Segment(0, weights)
