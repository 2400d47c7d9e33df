"""The report of a run: its figures, its verdict, and nothing in it that its files could smuggle in."""

import json
import math
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusforge.train.charts import Series, chart, downsample, trend
from corpusforge.train.log import RunLog, steps_of, validations_of
from corpusforge.train.report import render_run
from corpusforge.train.verdict import verdict
from tests.train.logs import cut, write_run, write_step, write_validation


class Page(HTMLParser):
    """Elements, attributes and texts of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def falling(step: int) -> float:
    return 3.0 - step / 1000


def judged(folder: Path, loss: Callable[[int], float], validation: dict[int, dict[str, float]]) -> str:
    write_run(folder, max(validation, default=1), loss, validation)
    return verdict(steps_of(folder), validations_of(folder).rows)


def test_a_rise_while_training_loss_falls_is_over_fitting(tmp_path: Path) -> None:
    losses = dict(zip(range(100, 700, 100), (1.9, 1.6, 1.42, 1.45, 1.48, 1.51), strict=True))
    told = judged(tmp_path, falling, {step: {"books": loss} for step, loss in losses.items()})
    assert told == (
        "validation loss of `books` has risen for 3 evaluations since step 300 (1.420 → 1.510) while training loss "
        "fell (2.750 → 2.450): the model is over-fitting; the best checkpoint is step 300"
    )


def test_a_rise_of_one_source_beside_a_better_mean_is_told_as_such(tmp_path: Path) -> None:
    books, web = (1.9, 1.42, 1.45, 1.48, 1.51), (4.0, 3.5, 3.0, 2.5, 2.0)
    rows = {100 * (n + 1): {"books": b, "web": w} for n, (b, w) in enumerate(zip(books, web, strict=True))}
    told = judged(tmp_path, falling, rows)
    assert "`books` has risen for 3 evaluations since step 200" in told
    assert told.endswith("over-fitting `books`, though the mean over all sources is best now")
    assert "`web`" not in told


def test_a_rise_without_falling_training_loss_is_something_else(tmp_path: Path) -> None:
    losses = dict(zip(range(100, 700, 100), (1.9, 1.6, 1.42, 1.5, 1.7, 1.9), strict=True))
    told = judged(tmp_path, lambda step: 2 + step / 100, {step: {"books": loss} for step, loss in losses.items()})
    assert "training loss did not fall" in told
    assert "no over-fitting; look at the learning rate" in told


@pytest.mark.parametrize("losses", [(3.0, 2.0, 1.8, 1.7, 1.69), (3.0, 2.0, 1.70, 1.69, 1.75, 1.74)])
def test_a_fall_or_a_short_rise_is_no_over_fitting(tmp_path: Path, losses: tuple[float, ...]) -> None:
    told = judged(tmp_path, falling, {100 * (n + 1): {"books": loss} for n, loss in enumerate(losses)})
    assert told.startswith("no sign of over-fitting")


def test_a_standstill_is_no_over_fitting(tmp_path: Path) -> None:
    losses = (3.0, 2.0, 1.700, 1.702, 1.703, 1.704, 1.705)
    told = judged(tmp_path, falling, {100 * (n + 1): {"books": loss} for n, loss in enumerate(losses)})
    assert told == "no sign of over-fitting: validation loss has been level since its best at step 300 (1.700)"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_few_evaluations_say_nothing(tmp_path: Path, count: int) -> None:
    told = judged(tmp_path, falling, {100 * (n + 1): {"books": 1.0 + n} for n in range(count)})
    assert told == f"too few evaluations to say: {count} so far, 4 are needed"


def test_a_validation_that_is_not_finite_is_a_divergence(tmp_path: Path) -> None:
    told = judged(tmp_path, falling, {100: {"books": 2.0}, 200: {"books": math.nan}})
    assert told == "validation loss of `books` is not finite at the last evaluation: the run has diverged"


def test_the_page_has_the_figures_of_the_run(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    losses = {step: {"books": 2.5 - step / 1000, "web": 3.5 - step / 1000} for step in range(100, 600, 100)}
    write_run(folder, 400, falling, losses)
    cut(folder / "log" / "steps.jsonl", 5)
    with RunLog(folder, 2) as log:
        log.event("resume", 390, "resumed from step 390")
        for step in range(390, 500):
            write_step(log, step, math.nan if step == 450 else falling(step))
        log.event("spike", 450, "loss at step 450 is not finite", documents=["urn:doc:7"])
        log.event("checkpoint", 500, "saved")
    model = {"config": {"model_type": "llama", "num_hidden_layers": 12}}
    config = {"run": "small", "steps": 1000, "objective": {"use": "causal"}, "model": model}
    (folder / "config.json").write_text(json.dumps({**config, "data": {"sources": {"books": {}, "web": {}}}}))
    (folder / "baseline.json").write_text(json.dumps({"bytes_5gram": 1.875, "unigram": 2.5}))
    page = Page(render_run(folder))
    for told in (
        "Causal pretraining of a new llama (12 layers) on books, web",
        "Steps 500 of 1,000",
        "Tokens 4.1M",
        "Best validation loss 2.500 at step 500",
        "No sign of over-fitting: the last evaluation, step 500, is the best (2.500).",
        "The loss was not finite in 1 of 500 logged steps",
        "9 logged steps were done again",
        "a killed writer left torn, and that are left out here: 1",
        "5-gram of bytes 1.875",
        "unigram of tokens 2.500",
        "resumed from step 390",
        'documents: ["urn:doc:7"]',
        "Checkpoints from step 500 to step 500",
        "500 2.500 / 0.833 2.000 / 0.667 3.000 / 1.000",
    ):
        assert told in page.text, told
    assert page.tags.count("figure") == 10
    assert "not measured" not in page.text


def test_names_and_texts_of_files_are_no_markup(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
    folder = tmp_path / "a<b>&"
    with RunLog(folder, 1) as log:
        for step in range(1, 30):
            write_step(log, step, 2.0, sources={evil: 2.0})
        for step in (10, 20, 24, 29):
            write_validation(log, step, {evil: 1.0 + step})
        log.event("spike", 20, evil, **{"document": evil, evil: [evil]})
    config = {evil: evil, "objective": {"use": evil}, "model": {"path": evil}, "data": {"sources": {evil: {}}}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "baseline.json").write_text(json.dumps({evil: 1.0}))
    other = write_run(tmp_path / "<script>", 30, falling)
    for html in (render_run(folder), render_run([folder, other])):
        page = Page(html)
        assert not {"script", "img", "b<b>"} & set(page.tags)
        assert not [name for name, _ in page.attributes if name.startswith("on")]
        assert "a<b>&" in page.text
    assert evil in Page(render_run(folder)).text


def test_the_page_loads_nothing(tmp_path: Path) -> None:
    page = Page(render_run(write_run(tmp_path / "run", 50, falling)))
    assert not {"script", "link", "iframe", "img"} & set(page.tags)
    assert not [value for name, value in page.attributes if name in ("src", "href")]


def test_what_was_not_measured_is_said_and_not_drawn(tmp_path: Path) -> None:
    folder = tmp_path / "cpu"
    with RunLog(folder, 1) as log:
        for step in range(1, 40):
            write_step(log, step, 2.0, mfu=None, memory=None, grad_norm=None)
    text = Page(render_run(folder)).text
    for title in ("Gradient norm", "Model FLOP/s utilisation (MFU)", "Peak memory of a device"):
        assert f"{title} not measured" in text


def test_a_run_that_has_only_begun_has_a_page(tmp_path: Path) -> None:
    RunLog(tmp_path / "run", 1).close()
    assert "Too few evaluations to say" in Page(render_run(tmp_path / "run")).text


def test_a_folder_without_a_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"holds no run: it has no folder log; name the folder ROOT/RUN"):
        render_run(tmp_path)


def test_runs_lie_over_each_other(tmp_path: Path) -> None:
    validation = {100: {"books": 2.0}, 200: {"books": 1.5}}
    folders = [write_run(tmp_path / name, 200, falling, validation) for name in ("one", "two")]
    html = render_run(folders)
    assert "2 runs beside each other" in html
    figure = html[html.index("<h3>Mean validation loss") :].partition("</figure>")[0]
    assert figure.count("<polyline") == 2
    assert "two <b>1.50</b>" in figure


def test_long_runs_make_small_pages(tmp_path: Path) -> None:
    steps = np.arange(1, 200_001)
    noise = np.random.default_rng(1).random(len(steps))
    drawn = chart([Series("loss", steps, noise, 0, "faint"), Series("loss", *trend(steps, noise), 0)], "nats")
    assert len(drawn) < 60_000


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400), st.integers(1, 20))
def test_downsampling_keeps_extremes_ends_and_order(values: list[float], columns: int) -> None:
    y = np.array(values)
    x = np.arange(len(y)) * 3
    few_x, few_y = downsample(x, y, columns)
    assert (few_y.min(), few_y.max()) == (y.min(), y.max())
    assert (few_x[0], few_x[-1], few_y[0], few_y[-1]) == (x[0], x[-1], y[0], y[-1])
    assert np.all(np.diff(few_x) > 0)
    assert np.array_equal(few_y, y[few_x // 3])
    assert len(few_x) <= 2 * columns + 2


def test_downsampling_keeps_a_single_spike_and_leaves_gaps_out() -> None:
    y = np.ones(100_000)
    y[54_321], y[60_000:61_000] = 40.0, math.nan
    few_x, few_y = downsample(np.arange(100_000), y, 100)
    assert few_x[few_y.argmax()] == 54_321
    assert np.isfinite(few_y).all()


def test_a_spike_does_not_move_the_trend() -> None:
    y = np.ones(1000)
    y[500] = 1e6
    assert trend(np.arange(1000), y)[1].max() == 1.0


@pytest.mark.parametrize("values", [[1.0], [2.0, 2.0], [0.0] * 5, [1e30, 1.0, -1e30], [math.inf, 1.0, math.nan]])
def test_odd_series_can_be_drawn(values: list[float]) -> None:
    drawn = chart([Series("s", np.arange(len(values)), np.array(values), 0)], "nats", from_zero=True)
    assert drawn.count("<polyline") == 1
    assert "nan" not in drawn
    assert "inf" not in drawn
