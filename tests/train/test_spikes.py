"""Spikes: what is one, what is none, and that a resumed detector decides as one that never stopped."""

import json
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.train.spikes import SpikeDetector, spikes_of


def noise(count: int, level: float = 3.0, seed: int = 0) -> list[float]:
    source = random.Random(seed)
    return [level + source.gauss(0, 0.1) for _ in range(count)]


def test_a_value_far_above_the_window_is_a_spike_and_one_below_is_none() -> None:
    detector = SpikeDetector()
    assert not any(detector.feed(step, value) for step, value in enumerate(noise(200)))
    spike = detector.feed(200, 9.0)
    assert spike is not None
    assert spike.step == 200
    assert abs(spike.mean - 3.0) < 0.05
    assert "loss 9 at step 200 is" in spike.words("loss")
    assert detector.feed(201, 0.5) is None
    assert detector.feed(202, 3.2) is None


def test_the_bound_is_mean_and_six_deviations_of_the_window() -> None:
    values = [1.0, 3.0] * 64  # mean 2, standard deviation sqrt(128 / 127)
    bound = 2 + 6 * math.sqrt(128 / 127)
    for value, spikes in ((bound - 1e-6, False), (bound + 1e-6, True)):
        found = list(spikes_of(enumerate([*values, value])))
        assert [spike.step for spike in found] == ([128] if spikes else [])


def test_a_spike_does_not_enter_the_window() -> None:
    detector = SpikeDetector()
    for step, value in enumerate(noise(128)):
        detector.feed(step, value)
    # If the first entered, the second would lie inside the wider window.
    assert [detector.feed(128 + n, 9.0) is not None for n in range(10)] == [True] * 10


def test_too_few_values_make_no_judgement() -> None:
    assert list(spikes_of(enumerate([*noise(63), 100.0]))) == []
    assert [spike.step for spike in spikes_of(enumerate([*noise(64), 100.0]))] == [64]


def test_a_value_that_is_not_finite_is_always_a_spike() -> None:
    for value in (math.nan, math.inf, -math.inf):
        (spike,) = spikes_of([(1, value)])
        assert "loss at step 1 is not finite" in spike.words("loss")
    assert [spike.step for spike in spikes_of(enumerate([*noise(100), math.nan, 3.0]))] == [100]


def test_a_series_that_stands_still_does_not_spike_by_rounding() -> None:
    assert list(spikes_of(enumerate([0.1] * 100 + [math.nextafter(0.1, 1)] * 5))) == []


def test_a_new_level_is_taken_after_half_a_window_of_spikes() -> None:
    found = [spike.step for spike in spikes_of(enumerate(noise(200) + noise(200, level=6.0)))]
    assert found == list(range(200, 264))


@given(
    st.lists(st.one_of(st.floats(0.5, 4), st.just(50.0), st.just(math.nan)), max_size=80),
    st.integers(0, 80),
)
def test_a_resumed_detector_decides_as_one_that_never_stopped(values: list[float], at: int) -> None:
    straight, first, second = (SpikeDetector(sigmas=2, window=8) for _ in range(3))
    expected = []
    for step, value in enumerate(values):
        judged = straight.judged(step, value)
        expected.append(straight.feed(step, value) is not None)
        assert (judged is not None) == expected[-1]
    found = [first.feed(step, value) is not None for step, value in enumerate(values[:at])]
    second.load(json.loads(json.dumps(first.state(), allow_nan=False)))
    found += [second.feed(step, value) is not None for step, value in enumerate(values[at:], at)]
    assert found == expected
    assert second.state() == straight.state()


@pytest.mark.parametrize(("sigmas", "window"), [(0, 128), (-1, 128), (6, 2)])
def test_settings_without_sense_are_refused(sigmas: float, window: int) -> None:
    with pytest.raises(ValueError, match="give sigmas above 0"):
        SpikeDetector(sigmas, window)
