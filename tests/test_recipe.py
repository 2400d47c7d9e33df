"""Recipes: what is right is built, what is wrong is one message with file, line, stage, value and cure."""

import json
import re
from pathlib import Path

import pytest
import yaml

from corpusforge import api
from corpusforge.parts import RecipeError
from corpusforge.recipe import parse_recipe, read_recipe, shipped
from corpusforge.schemas import every_schema

GOOD = """\
corpus: tiny
passes:
  - name: extract
    source: {use: warc.Warc}
    stages:
      - {use: url.UrlRules}
      - {use: main_text.MainText}
  - name: clean
    stages:
      - {use: language.Language, keep: [ja]}
      - {use: length.TooShort, at_least: 50}
"""


@pytest.mark.parametrize("name", sorted(shipped()))
def test_shipped_recipes_are_right(name: str) -> None:
    recipe = read_recipe(name)
    assert [p.name for p in recipe.passes] == ["extract", "clean", "duplicates", "corpus", "tokens"]
    assert recipe.description


def test_a_pass_reads_the_one_before_it() -> None:
    assert parse_recipe(GOOD).passes[1].reads == ("extract",)


WRONG = [
    ("use: url.UrlRules", "use: url.UrlRulez", r"r\.yaml:6: .*unknown 'url\.UrlRulez'.*Did you mean 'url\.UrlRules'"),
    ("at_least: 50", "at_leest: 50", r"r\.yaml:11: .*TooShort.*unknown field 'at_leest'.*Did you mean 'at_least'"),
    ("at_least: 50", "at_least: many", r"r\.yaml:11: .*TooShort.*at_least: .*it is 'many'"),
    ("      - {use: main_text.MainText}\n", "", r"r\.yaml:9: .*Language reads 'text', which nothing before it writes"),
    ("name: clean", "name: extract", r"r\.yaml:8: .*there is a pass of that name"),
    ("name: clean", "name: clean\n    reads: [nobody]", r"r\.yaml:8: .*it reads 'nobody'"),
    ("name: clean", "name: clean\n    use: magic", r"r\.yaml:8: .*unknown kind of pass 'magic'"),
    ("name: clean", "name: clean\n    colour: red", r"r\.yaml:9: .*unknown field 'colour'"),
    ("passes:", "passes: {", r"r\.yaml:\d+: YAML"),
    ("corpus: tiny", "corpse: tiny", r"r\.yaml:1: .*unknown field 'corpse'.*Did you mean 'corpus'"),
    ("    source: {use: warc.Warc}\n", "", r"r\.yaml:3: .*it needs a source or a pass to read"),
    ("name: clean", "name: ../x", r"r\.yaml:8: .*'\.\./x' is no name for a pass"),
    ("name: clean", "name: clean\n    reads: extract", r"`reads` is 'extract', not a list"),
    ("name: clean", "name: clean\n    unit_bytes: 0", r"r\.yaml:9: .*unit_bytes: .*greater than 0"),
    ("corpus: tiny", "corpus: tiny\ncorpus: twice", r"YAML: a key stands twice"),
    ("[ja]", "[jp]", r"r\.yaml:10: .*Language: keep: unknown language 'jp'; did you mean 'ja'\?$"),
    ("[ja]", "ja", r"r\.yaml:10: .*keep is 'ja', not a list\. Write `keep: \[ja\]`$"),
    ("[ja]", "'ja, no'", r"keep is 'ja, no', not a list\. Write `keep: \[ja, 'no'\]`$"),
    ("[ja]", "no", r"keep is false, not a list\. Write `keep: \['no'\]`$"),
    ("[ja]", "[no]", r"keep is false, not a text\. YAML reads no without quotes as false\. Quote it: 'no'$"),
    ("[ja]", "{ja: 1}", r"keep is \{'ja': 1\}, not a list\. Write `keep: \[one, two\]`$"),
    (
        "[ja]",
        "[ja], at_least: 65",
        r"r\.yaml:10: .*at_least: .*less than or equal to 1, it is 65\. Give it a value within",
    ),
    ("[ja]", "[ja], at_least: high", r"at_least: .*it is 'high'\. Write a number, such as 0\.5$"),
    ("url.UrlRules", "sniff.LanguageSniff, keep: [JA]", r"r\.yaml:6: .*'JA'; did you mean 'ja'\?$"),
    ("url.UrlRules", "sniff.LanguageSniff, plausible: 10", r"plausible: .*less than or equal to 1, it is 10\."),
    ("url.UrlRules", "sniff.LanguageSniff, sure: -1", r"sure: .*greater than or equal to 0, it is -1\."),
    (
        "main_text.MainText",
        "main_text.MainText, engine: corpsforge",
        r"engine is 'corpsforge'\. Did you mean 'corpusforge'\?$",
    ),
    ("main_text.MainText", "main_text.MainText, byline: maybe", r"byline is 'maybe'\. Known: model, keep, drop$"),
    (
        "main_text.MainText",
        "main_text.MainText, byline: keep",
        r"byline: only with engine: corpusforge, not trafilatura$",
    ),
    (
        "passes:",
        "passes:\n  - {name: t, use: tokenize, boundaries: [word]}",
        r"boundaries is 'word'\. Did you mean 'words'\?$",
    ),
]


@pytest.mark.parametrize(("right", "wrong", "message"), WRONG, ids=[w[1].strip()[:30] for w in WRONG])
def test_a_mistake_is_one_clear_message(right: str, wrong: str, message: str) -> None:
    assert right in GOOD
    with pytest.raises(RecipeError) as caught:
        parse_recipe(GOOD.replace(right, wrong), "r.yaml")
    assert re.search(message, str(caught.value)), str(caught.value)


SNIFFED = GOOD.replace("url.UrlRules", "sniff.LanguageSniff, keep: [ja, ko]")


@pytest.mark.parametrize("between", ["", "  - {name: duplicates, use: dedup, reads: [extract]}\n"])
def test_stages_that_keep_no_common_language_are_a_mistake(between: str) -> None:
    wrong = SNIFFED.replace("[ja]", "[en, de]").replace(
        "  - name: clean\n", f"{between}  - name: clean\n    reads: [extract]\n"
    )
    with pytest.raises(RecipeError) as caught:
        parse_recipe(wrong, "r.yaml")
    told = "Language: it keeps en, de, and LanguageSniff before it ja, ko: none is in both. Let both keep the same"
    assert told in str(caught.value)


def test_stages_may_keep_fewer_languages_one_after_another_and_others_beside_each_other() -> None:
    korean = "  - name: korean\n    reads: [extract]\n    stages: [{use: language.Language, keep: [ko]}]\n"
    assert len(parse_recipe(SNIFFED + korean).passes) == 3
    assert len(parse_recipe(SNIFFED.replace("[ja]", "[]")).passes) == 2


def test_an_unknown_recipe_names_the_shipped_ones() -> None:
    with pytest.raises(RecipeError, match="Did you mean 'web_ja'"):
        read_recipe("web_jp")


def test_partition_by_needs_a_counted_column() -> None:
    text = GOOD + "  - {name: corpus, use: corpus, partition_by: charset}\n"
    with pytest.raises(RecipeError, match=r"Write `counted: \[lang, charset\]` in pass clean"):
        parse_recipe(text)


DEDUP = "  - {name: duplicates, use: dedup}\n"


def test_a_corpus_after_dedup_reads_the_documents_and_their_decisions() -> None:
    assert parse_recipe(GOOD + DEDUP + "  - {name: corpus, use: corpus}\n").passes[-1].reads == ("clean", "duplicates")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("  - {name: corpus, use: corpus, reads: [extract, duplicates]}\n", "duplicates decides on something else"),
        ("  - {name: corpus, use: corpus, reads: [duplicates]}\n", "'duplicates', which holds no documents"),
        ("  - {name: tokens, use: tokenize}\n", "'duplicates', which holds no documents"),
        ("  - {name: more, reads: [extract, clean]}\n", "it reads 2 passes"),
    ],
)
def test_a_pass_reads_what_it_can(more: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        parse_recipe(GOOD + DEDUP + more)


def test_nothing_is_dropped_before_it_is_masked() -> None:
    unsafe = GOOD.replace(
        "      - {use: main_text.MainText}\n",
        "      - {use: main_text.MainText}\n      - {use: language.Language}\n      - {use: mask.MaskPersonal}\n",
    )
    with pytest.raises(RecipeError, match="Language may drop documents before MaskPersonal has masked them"):
        parse_recipe(unsafe)


def test_the_same_recipe_is_the_same_wherever_its_file_lies(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "tiny.yaml").write_text(GOOD)
    plans = [api.plan(tmp_path / folder / "tiny.yaml") for folder in ("a", "b")]
    assert plans[0].making == plans[1].making


def test_a_stage_in_a_users_module_needs_no_edit_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_lab").mkdir()
    (tmp_path / "my_lab" / "kana.py").write_text(KANA)
    monkeypatch.syspath_prepend(str(tmp_path))
    recipe = parse_recipe(GOOD + "      - {use: my_lab.kana:KanaShare, at_least: 0.2}\n")
    assert type(recipe.passes[1].stages[-1]).__name__ == "KanaShare"
    assert "kana_share" in recipe.passes[1].columns(recipe.passes[0].columns({}))


KANA = '''
from typing import ClassVar
import pyarrow as pa
from pydantic.dataclasses import dataclass
from corpusforge.stages import STRICT, put

@dataclass(frozen=True, config=STRICT)
class KanaShare:
    """Measure the share of kana; drop documents below ``at_least``."""
    at_least: float = 0.1
    revision: ClassVar[int] = 1
    reads: ClassVar[tuple[str, ...]] = ("text",)
    writes: ClassVar[dict[str, pa.DataType]] = {"kana_share": pa.float32(), "drop": pa.string()}

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        shares = [sum("ぁ" <= c <= "ヿ" for c in t) / max(len(t), 1) for t in batch["text"].to_pylist()]
        drop = ["little_kana" if share < self.at_least else None for share in shares]
        return put(self, batch, kana_share=shares, drop=drop)
'''


def test_the_committed_schemas_are_fresh() -> None:
    folder = Path(__file__).parents[1] / "schemas"
    for name, schema in every_schema().items():
        written = json.loads((folder / f"{name}.json").read_text("utf-8"))
        written.pop("$schema")
        assert written == schema, "run `make schemas`"


def test_shipped_recipes_fit_the_recipe_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    for path in shipped().values():
        jsonschema.validate(yaml.safe_load(Path(path).read_text("utf-8")), every_schema()["recipe"])
