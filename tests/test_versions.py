"""Versions: never mutable; equal builds go on, others start the next dev version and adopt what is unchanged."""

from pathlib import Path

import pytest

from corpusforge.storage import Store
from corpusforge.versions import Making, VersionError, choose, resolve


def making(threshold: float = 0.3, fingerprint: str = "aa") -> Making:
    passes = [{"name": "clean", "steps": [{"stages": [{"use": "length:TooShort", "fields": {"at_least": threshold}}]}]}]
    return Making({"recipe": "web_ja", "passes": passes}, [{"name": "x.warc.gz", "fingerprint": fingerprint}])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


def test_an_equal_build_goes_on_with_the_newest_dev(store: Store) -> None:
    assert choose(store, making(), None).version == "dev-1"
    assert choose(store, making(), None).version == "dev-1"


def test_another_recipe_or_input_starts_the_next_dev(store: Store) -> None:
    versions = [choose(store, m, None).version for m in (making(), making(0.2), making(0.2, "bb"), making(0.2, "bb"))]
    assert versions == ["dev-1", "dev-2", "dev-3", "dev-3"]


def test_a_changed_recipe_under_an_old_version_names_what_differs(store: Store) -> None:
    choose(store, making(), "v1")
    with pytest.raises(VersionError, match=r"clean.*TooShort.*fields\.at_least was 0\.3 and is now 0\.2"):
        choose(store, making(0.2), "v1")
    with pytest.raises(VersionError, match=r'x\.warc\.gz.*fingerprint was "aa" and is now "bb"'):
        choose(store, making(fingerprint="bb"), "v1")


def test_dev_is_the_newest_dev_by_number(store: Store) -> None:
    for number in range(11):
        choose(store, making(number / 100), None)
    assert resolve(store, "dev") == "dev-11"
    with pytest.raises(VersionError, match="there are: dev-1"):
        resolve(store, "nope")


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"recipe": "web_ja"}'])
def test_a_damaged_version_is_named_with_the_cure(store: Store, content: bytes) -> None:
    store.put_if_absent("v1/recipe.json", content)
    with pytest.raises(VersionError, match=r"v1/recipe\.json is damaged.*build under another version"):
        choose(store, making(), "v1")
