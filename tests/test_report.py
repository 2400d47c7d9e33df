"""Reports add exactly: the sum over any grouping in any order is the same report."""

import json

from hypothesis import given
from hypothesis import strategies as st

from corpusforge.report.add import SAMPLES, Report, total

events = st.lists(
    st.tuples(st.sampled_from(["kept", "TooShort.words", "source.not_html"]), st.integers(0, 10**6)), max_size=60
)


def report(rows: list[tuple[str, int]]) -> Report:
    made = Report()
    for reason, number in rows:
        made.count(f"drop.{reason}" if reason != "kept" else "kept")
        made.count("records")
        made.bins("length", [str(number % 7)])
        made.sample(reason, id=f"{number:032x}", url=f"https://{number}.example/", text="…")
        made.seen("hosts", f"{number}.example")
    return made


@given(events, st.integers(0, 60), st.integers(0, 60))
def test_any_grouping_and_order_gives_the_same_sum(rows: list[tuple[str, int]], one: int, two: int) -> None:
    a, b = sorted((one, two))
    parts = [report(rows[:a]), report(rows[a:b]), report(rows[b:])]
    assert total(parts).to_json() == total(reversed(parts)).to_json() == report(rows).to_json()


@given(events)
def test_json_brings_the_same_report_back(rows: list[tuple[str, int]]) -> None:
    made = report(rows)
    assert Report.from_json(json.loads(json.dumps(made.to_json()))).to_json() == made.to_json()


def test_records_are_kept_plus_drops() -> None:
    made = report([("kept", 1), ("TooShort.words", 2), ("TooShort.words", 3)])
    assert made.counts["records"] == made.counts["kept"] + sum(made.drops().values())
    assert made.drops() == {"TooShort.words": 2}


def test_samples_are_few_and_independent_of_order() -> None:
    rows = [("kept", n) for n in range(200)]
    assert len(report(rows).samples["kept"]) == SAMPLES
    assert report(rows).samples == report(rows[::-1]).samples


def test_distinct_values_are_estimated_within_five_percent() -> None:
    for many in (10, 1000, 50_000):
        made = Report()
        for number in range(many):
            made.seen("hosts", f"host-{number}.example")
            made.seen("hosts", f"host-{number}.example")
        assert abs(made.distinct("hosts") - many) <= 0.05 * many
