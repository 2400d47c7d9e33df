"""The validation split: by cluster, stable, of the asked size; an earlier version's split stays."""

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from corpusforge.tokens.split import TRAIN, VALIDATION, earlier_splits, split_of

IDS = [f"{n:032x}" for n in range(20_000)]


def test_share_is_what_was_asked_for() -> None:
    found = sum(split_of(id, 0.01) == VALIDATION for id in IDS)
    assert 150 < found < 250
    assert all(split_of(id, 0.0) == TRAIN for id in IDS[:100])
    assert all(split_of(id, 1.0) == VALIDATION for id in IDS[:100])


def test_a_larger_share_only_adds() -> None:
    small = {id for id in IDS if split_of(id, 0.005) == VALIDATION}
    assert small < {id for id in IDS if split_of(id, 0.02) == VALIDATION}


def test_split_is_the_same_in_another_process() -> None:
    listing = "[n for n in range(999) if split_of(f'{n:032x}', .1) != 'train']"
    code = f"from corpusforge.tokens.split import split_of; print({listing})"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == str([n for n in range(999) if split_of(IDS[n], 0.1) != TRAIN])


def test_a_cluster_keeps_the_split_of_any_earlier_member() -> None:
    members = [("d", "a"), ("a", "a"), ("b", "a"), ("e", "e"), ("f", "f"), ("x", "elsewhere")]
    documents = [("b", VALIDATION), ("e", TRAIN), ("gone", VALIDATION)]
    kept = [("b", "b"), ("e", "e"), ("gone", "gone")]
    assert earlier_splits(members, documents, kept, []) == {"a": VALIDATION, "e": TRAIN}


def test_a_member_that_was_swept_before_keeps_its_clusters_split() -> None:
    kept, swept = [("b", "a")], [("a", "a"), ("c", "a")]
    assert earlier_splits([("c", "c")], [("b", VALIDATION)], kept, swept) == {"c": VALIDATION}


@given(st.permutations([("a", TRAIN), ("b", VALIDATION), ("c", TRAIN)]))
def test_validation_wins_where_clusters_joined(documents: list[tuple[str, str]]) -> None:
    members = [("a", "a"), ("b", "a"), ("c", "a")]
    assert earlier_splits(members, documents, [(id, id) for id, _ in documents], []) == {"a": VALIDATION}
