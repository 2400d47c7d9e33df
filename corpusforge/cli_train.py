"""The verbs of training on the command line; no logic."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.text import Text

from corpusforge import api
from corpusforge.report import render

app = typer.Typer(no_args_is_help=True, help="Train models on token shards, look at runs, export models.")
console = render.console()

ConfigFile = Annotated[
    Path, typer.Argument(metavar="CONFIG", help="A YAML file; see jobs/configs and docs/training.md.")
]
Root = Annotated[Path, typer.Option(help="Where runs lie: the run is ROOT/RUN.", envvar="CORPUSFORGE_ROOT")]
SET_HELP = "Change a field: --set batch.micro=4. May be given more than once."
Changes = Annotated[list[str], typer.Option("--set", metavar="FIELD=VALUE", help=SET_HELP)]
ADDRESS_HELP = "A Ray cluster: http://HOST:8265 submits a job and follows it; HOST:6379 or auto makes this its driver."
Address = Annotated[str | None, typer.Option(help=ADDRESS_HELP, envvar="CORPUSFORGE_ADDRESS")]
Alone = Annotated[bool, typer.Option("--alone", help="One worker in this process, without Ray.")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")]
Step = Annotated[int | None, typer.Option(help="Which checkpoint; the best of the validations by default.", min=0)]


def _training(tuned: bool) -> Callable[..., None]:
    """The command that trains, by examples to tune on or by text."""

    def train(
        config: ConfigFile,
        root: Root,
        changes: Changes = [],  # noqa: B006
        address: Address = None,
        alone: Alone = False,
    ) -> None:
        made = api.read_training(config, dict(_change(change) for change in changes))
        if (made.objective.use == "instruction") != tuned:
            verb = "pretrain" if tuned else "sft"
            raise typer.BadParameter(f"{config} has the objective {made.objective.use}: use `corpusforge train {verb}`")
        if address and api.takes_jobs(address) and not alone:
            raise typer.Exit(api.train_submit(made, root, address, _say))
        folder = api.train_run(made, root, address=address, ray=not alone, say=_say)
        for line in (f"run:     {folder}", f"report:  corpusforge train report {folder}"):
            _say(line)

    return train


PRETRAIN_HELP = "Pretrain a model, or go on with a run: causal, masked or next-sentence."
SFT_HELP = "Tune a model on instructions, or go on with such a run."
app.command("pretrain", help=PRETRAIN_HELP)(_training(tuned=False))
app.command("sft", help=SFT_HELP)(_training(tuned=True))


@app.command()
def presets() -> None:
    """List the presets that a configuration may name, each with where its numbers are from."""
    for name, source in api.train_presets().items():
        console.print(Text(f"{name:<14}", style="bold") + Text(source), soft_wrap=True)


@app.command()
def report(runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of runs.")]) -> None:
    """Draw the curves of a run, or of several beside each other, into RUN/report.html."""
    console.print(Text(f"report: {api.train_report(runs)}"), soft_wrap=True)


@app.command()
def baseline(run: RunFolder) -> None:
    """Score n-grams of a run's own texts on its held-out ones, so that its report shows them beside the model."""
    made = api.train_baseline(run)
    told = {
        "5-gram of bytes": made.bytes_5gram,
        "5-gram of tokens": made.tokens_5gram,
        "1-gram of tokens": made.unigram,
    }
    _say("bits a byte: " + "; ".join(f"{name} {bits:.4f}" for name, bits in told.items()))


@app.command()
def export(
    run: RunFolder, to: Annotated[Path, typer.Argument(help="A new folder for the model.")], step: Step = None
) -> None:
    """Write a run's model in the format of Hugging Face."""
    console.print(Text(f"model: {api.train_export(run, to, step)}"), soft_wrap=True)


@app.command()
def sample(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run or an exported model.")],
    prompt: Annotated[str, typer.Argument(help="The beginning of a text, or a question to a tuned model.")],
    step: Step = None,
    tokens: Annotated[int, typer.Option(help="The most tokens of a continuation.", min=1)] = 64,
    count: Annotated[int, typer.Option(help="How many continuations.", min=1)] = 1,
    temperature: Annotated[float, typer.Option(help="0 takes the likeliest token.", min=0)] = 0.8,
) -> None:
    """Print how the model goes on."""
    for text in api.train_sample(run, prompt, step, tokens, count, temperature):
        console.print(Text(prompt, style="bold") + Text(text), soft_wrap=True)


def _change(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"--set {text!r}: write FIELD=VALUE, such as --set steps=200")
    return name, yaml.safe_load(value)


def _say(line: str) -> None:
    console.print(Text(line), soft_wrap=True)
