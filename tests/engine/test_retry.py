"""How often a unit is tried, and which records are left out."""

from corpusforge.engine.guard import Death
from corpusforge.engine.retry import TRIES, History

FAULT = "Fatal Python error: Segmentation fault"


def test_an_exception_is_tried_a_stated_number_of_times() -> None:
    history = History()
    assert [history.raised("no") for _ in range(TRIES)] == [True] * (TRIES - 1) + [False]


def test_two_crashes_at_a_record_leave_it_out() -> None:
    history = History()
    assert history.died(Death("a.warc:7", FAULT))
    assert history.skip == {}
    assert history.died(Death("a.warc:7", FAULT))
    assert history.skip == {"a.warc:7": "extract.killed_worker"}


def test_kills_from_outside_need_one_more() -> None:
    history = History()
    for _ in range(2):
        assert history.died(Death("a.warc:7", ""))
    assert history.skip == {}
    assert history.died(Death("a.warc:7", ""))
    assert history.skip == {"a.warc:7": "extract.killed_worker"}


def test_the_cpu_guard_has_a_reason_of_its_own() -> None:
    history = History()
    for _ in range(2):
        history.died(Death("a.warc:7", "too_dear"))
    assert history.skip == {"a.warc:7": "extract.too_dear"}


def test_a_record_that_is_left_out_and_still_named_ends_the_unit() -> None:
    history = History()
    answers = [history.died(Death("a.warc:7", FAULT)) for _ in range(2 + TRIES)]
    assert answers[-1] is False


def test_a_death_at_no_record_counts_as_a_failure() -> None:
    history = History()
    assert [history.died(Death("", "")) for _ in range(TRIES)][-1] is False
