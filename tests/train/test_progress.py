"""Progress in words, seldom enough to read."""

from corpusforge.train.progress import Progress, lasting, progress_line


def test_a_line_tells_step_loss_rate_wait_and_time_left() -> None:
    line = progress_line(120, 2000, 3.4121, 12_300.4, 0.01, 188.0)
    assert line == "step 120/2,000, loss 3.412, 12,300 tokens/s, data wait 1 %, ETA 3 min"


def test_the_last_line_has_no_time_left() -> None:
    assert "ETA" not in progress_line(2000, 2000, 3.4, 1.0, 0.0, 0.0)


def test_times_are_told_in_the_units_that_fit() -> None:
    told = [lasting(seconds) for seconds in (0, 59, 60, 3599, 3600, 7500, 86_400, 360_000)]
    assert told == ["0 s", "59 s", "1 min", "1 h", "1 h", "2 h 5 min", "1 d", "4 d 4 h"]


def test_a_line_comes_each_so_many_steps_or_seconds_and_at_the_end() -> None:
    by_steps = Progress(10, every_steps=4, every_seconds=1e9)
    assert [n for n in range(1, 11) if by_steps.feed(n, 1.0, 10, 0.1, 0.0)] == [4, 8, 10]
    by_seconds = Progress(10, every_steps=1000, every_seconds=3)
    assert [n for n in range(1, 11) if by_seconds.feed(n, 1.0, 10, 1.0, 0.0)] == [3, 6, 9, 10]


def test_the_rate_is_that_of_recent_steps() -> None:
    progress = Progress(1000, every_steps=100, every_seconds=1e9)
    for step in range(1, 100):
        progress.feed(step, 2.0, 100, 100.0 if step < 40 else 0.5, 0.05)
    assert (
        progress.feed(100, 2.0, 100, 0.5, 0.05) == "step 100/1,000, loss 2.000, 200 tokens/s, data wait 10 %, ETA 8 min"
    )
