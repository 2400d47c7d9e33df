"""The verbs of the command line; no logic."""

import json
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext, redirect_stdout
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.text import Text

from corpusforge import api, cli_train
from corpusforge.inputs import InputError
from corpusforge.parts import RecipeError, parts_in
from corpusforge.recipe import shipped
from corpusforge.report import render
from corpusforge.report.progress import Progress
from corpusforge.verbs.explain import RECORDS
from corpusforge.versions import VersionError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="From crawl to clean, deduplicated, tokenised shards, each with a report.",
)
console = render.console()
errors = render.console(stderr=True)

app.add_typer(cli_train.app, name="train")

DURATION = re.compile(r"(\d{1,6})([hdw])")
SECONDS = {"h": 3600.0, "d": 86400.0, "w": 604800.0}
EXPECTED: tuple[type[Exception], ...] = (RecipeError, InputError, VersionError, api.StoreError, api.PlanChanged)
EXPECTED += (api.NoCluster, api.NotNew, api.NoSample, api.DamagedError, api.NotTrained, api.NotFitted)
"""Errors that are one message and exit status 1."""
COLOURS = {"ok": "", "warning": "yellow", "error": "bold red"}
STOPPED = 130
"""What typer returns when Ctrl-C ended a verb."""

RECIPE_HELP = "A shipped recipe (see `corpusforge recipes`) or a YAML file."
RecipeName = Annotated[str, typer.Argument(help=RECIPE_HELP, autocompletion=lambda: list(shipped()))]
ROOT_HELP = "What keeps corpora: a folder, or s3://, gs:// or az://."
TRY_ROOT_HELP = "A root to try: a folder, or s3://, gs:// or az://."
TRY_ADDRESS_HELP = "A Ray cluster to try, as build takes it."
INPUT_HELP = "A file, folder, glob, s3://, gs://, az:// or https:// address, or @list.txt of these; many times."
Inputs = Annotated[list[str], typer.Option("--input", "-i", help=INPUT_HELP)]
BASE_HELP = "The folder or URL before the relative lines of @lists; names of inputs are relative to it."
InputBase = Annotated[str | None, typer.Option("--base", help=BASE_HELP)]
Limit = Annotated[int | None, typer.Option(help="Read this many content records of each input file at most.", min=1)]
VERSION_HELP = "Name of the version (default: go on with the newest equal dev-N, else start the next)."
ALLOW_HELP = "Go on if at most so many units of a pass fail, and leave them out for good."
WORKERS_HELP = "Ray workers (default: one a CPU of this machine, or all that the cluster has room for)."
ADDRESS_HELP = "A Ray cluster: http://HOST:8265 submits a job and follows it; HOST:6379 or auto makes this its driver."
ESTIMATE_HELP = "Measure a sample of the input (some seconds), and say how long a build takes and what it writes."
CHECK_WORKERS_HELP = "Workers to estimate for (default: the CPUs of this machine)."
RECORDS_HELP = "How many documents of the input are measured, from places spread over its files."
REASON_HELP = "Why: it is kept beside the ids."
SINCE_HELP = "The day it was asked for (default: today)."
MISSING_HELP = "What is done with ids that the version has no tokens of: refuse all, or forget them too."
OLDER_HELP = "Remove only versions to which nothing was written for so long: 12h, 30d, 8w."
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Where = Annotated[str, typer.Argument(metavar="ROOT/CORPUS/VERSION[/PASS[/UNIT]]")]


def _seconds(text: str) -> float:
    """A stretch of time such as ``30d``, in seconds."""
    found = DURATION.fullmatch(text)
    if not found:
        raise typer.BadParameter(f"{text!r} is no stretch of time. Write a number and its unit: 12h, 30d, 8w")
    return int(found[1]) * SECONDS[found[2]]


@app.command()
def build(
    recipe: RecipeName,
    root: Annotated[str, typer.Option(help=ROOT_HELP, envvar="CORPUSFORGE_ROOT")],
    inputs: Inputs,
    name: Annotated[str | None, typer.Option(help="Name of the corpus (default: the recipe's).")] = None,
    version: Annotated[
        str | None,
        typer.Option(help="Name of the version (default: go on with the newest equal dev-N, else start the next)."),
    ] = None,
    base: Annotated[str | None, typer.Option("--from", help="Version whose equal units are adopted.")] = None,
    pool: Annotated[api.PoolName, typer.Option(help="Where units are worked on.")] = "ray",
    workers: Annotated[int | None, typer.Option(help=WORKERS_HELP, min=1, envvar="CORPUSFORGE_WORKERS")] = None,
    address: Annotated[str | None, typer.Option(help=ADDRESS_HELP, envvar="CORPUSFORGE_ADDRESS")] = None,
    limit: Limit = None,
    allow_failed: Annotated[int, typer.Option(help=ALLOW_HELP, min=0)] = 0,
    as_json: Json = False,
    input_base: InputBase = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say only what fails.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="A line for every unit.")] = False,
) -> None:
    """Make a corpus, or go on with it where an earlier run stopped."""
    if quiet and verbose:
        raise typer.BadParameter("give --quiet or --verbose, not both", param_hint="--quiet")
    if pool == "serial":
        address = None
    if address and api.takes_jobs(address):
        options = {"name": name, "version": version, "from": base, "workers": workers, "limit": limit}
        options |= {"base": input_base}
        words = [f"--{option}={value}" for option, value in options.items() if value is not None]
        words += [f"--allow-failed={allow_failed}"] * bool(allow_failed) + ["--json"] * as_json
        words += ["--quiet"] * quiet + ["--verbose"] * verbose
        raise typer.Exit(api.submit(recipe, inputs, root, words, address, _relay if as_json else _say))
    progress = Progress(errors if as_json else console, quiet, verbose)
    try:
        # Ray prints messages of its own to standard output, which belongs to the JSON.
        with redirect_stdout(sys.stderr) if as_json else nullcontext():
            chosen = (name, version, base, pool, workers, address, limit, allow_failed)
            run = api.build(recipe, inputs, root, *chosen, progress, input_base, estimate=not quiet)
    finally:
        progress.stop()
    if as_json:
        print(json.dumps({**api.verify(run.address), "address": run.address, "worked": run.worked}))
        return
    for line in [] if quiet else api.next_commands(run):
        console.print(Text(line), soft_wrap=True)


@app.command()
def check(
    recipe: RecipeName,
    inputs: Inputs = [],  # noqa: B006
    limit: Limit = None,
    as_json: Json = False,
    input_base: InputBase = None,
    estimate: Annotated[bool, typer.Option("--estimate", help=ESTIMATE_HELP)] = False,
    workers: Annotated[int | None, typer.Option(help=CHECK_WORKERS_HELP, min=1)] = None,
) -> None:
    """Build every stage of a recipe, follow its columns, and print the plan; nothing is written."""
    planned = api.plan(recipe, inputs, limit, input_base=input_base, tell=lambda line: errors.print(Text(line)))
    found = api.estimate_of(planned, workers) if estimate else None
    if as_json:
        told = {"estimate": found.to_json()} if found else {}
        print(json.dumps({"recipe": planned.making.recipe, "inputs": planned.making.inputs, **told}))
        return
    for line in [*api.describe(planned), *([f"estimate: {found.line()}"] if found else [])]:
        console.print(Text(line), soft_wrap=True)


@app.command("try")
def try_(
    recipe: RecipeName,
    page: Annotated[str, typer.Argument(metavar="FILE|URL", help="A page, a file of pages, or a web address.")],
    record: Annotated[int, typer.Option(help="Which record of the file.", min=1)] = 1,
    as_json: Json = False,
) -> None:
    """Send one page through every stage of a recipe, here, and show what each of them does to it."""
    trial = api.try_page(recipe, page, record)
    if as_json:
        print(json.dumps(trial.to_json(), ensure_ascii=False))
    else:
        api.show_trial(console, trial)


@app.command()
def explain(
    recipe: RecipeName,
    inputs: Inputs,
    records: Annotated[int, typer.Option(help=RECORDS_HELP, min=1)] = RECORDS,
    as_json: Json = False,
    input_base: InputBase = None,
) -> None:
    """Measure what each stage of a recipe costs and drops on a sample; propose a cheaper order, change nothing."""
    told = api.explain(recipe, inputs, records, input_base, lambda line: errors.print(Text(line)))
    if as_json:
        print(json.dumps(told.to_json(), ensure_ascii=False))
    else:
        api.show_explanation(console, told)


@app.command()
def report(where: Where, as_json: Json = False) -> None:
    """Print what was read, kept and dropped, and why."""
    passes = api.report(where)
    if as_json:
        print(json.dumps([p.to_json() for p in passes], ensure_ascii=False))
    else:
        render.show(console, where, passes)


@app.command()
def verify(where: Where, as_json: Json = False) -> None:
    """Recompute every file that a manifest names; exit 1 if one differs or a planned unit is missing."""
    found = api.verify(where)
    if as_json:
        print(json.dumps(found))
    else:
        for line in api.verified(found):
            console.print(Text(line), soft_wrap=True)
    if found["wrong"] or found["undone"]:
        raise typer.Exit(1)


@app.command()
def trace(
    what: Annotated[str, typer.Argument(metavar="step:RUN@N|id:X", help="A step of a run, or a document.")],
    run: Annotated[list[Path], typer.Option(help="For a document: the runs to look at.")] = [],  # noqa: B006
    as_json: Json = False,
) -> None:
    """Show the documents that a training step read, or the steps and checkpoints that have seen a document."""
    kind, _, named = what.partition(":")
    folder, _, step = named.rpartition("@")
    if kind == "step" and folder and step.isdecimal():
        found: list[Any] = api.trace_step(folder, int(step))
    elif kind == "id" and named and run:
        found = [{"run": str(one), **api.trace_document(one, named)} for one in run]
    else:
        raise typer.BadParameter(f"{what!r}: write step:RUN@N, or id:X with --run RUN")
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        _table(found)


@app.command()
def forget(
    where: Annotated[str, typer.Argument(metavar="ROOT/CORPUS/VERSION")],
    ids: Annotated[list[str], typer.Argument(metavar="ID|@FILE...", help="Ids of documents, or files of one a line.")],
    reason: Annotated[str, typer.Option(help=REASON_HELP)],
    date: Annotated[datetime | None, typer.Option(help=SINCE_HELP, formats=["%Y-%m-%d"])] = None,
    missing: Annotated[Literal["error", "ignore"], typer.Option(help=MISSING_HELP)] = "error",
    as_json: Json = False,
) -> None:
    """Never train on these documents again, in any version of the corpus; a training that runs, from its next start."""
    wanted = [id for given in ids for id in (_lines(given[1:]) if given.startswith("@") else [given])]
    if not any(wanted) or not reason.strip():
        raise typer.BadParameter("name at least one id, and a reason")
    found = api.tombstone(where, wanted, reason, date.date().isoformat() if date else None, missing)
    if as_json:
        print(json.dumps({"asked": len(set(wanted)), "found": found}))
        return
    console.print(Text(f"{where} has tokens of {found:,} of {len(set(wanted)):,}; they are forgotten"), soft_wrap=True)


def _lines(path: str) -> list[str]:
    """The lines of a file that are not empty."""
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"@{path} is no list of ids: {error}") from None
    return [line.strip() for line in lines if line.strip()]


@app.command()
def gc(
    corpus: Annotated[str, typer.Argument(metavar="ROOT/CORPUS")],
    keep: Annotated[int, typer.Option(help="How many of the newest dev versions stay.", min=1)] = 3,
    older_than: Annotated[float | None, typer.Option(parser=_seconds, metavar="30d", help=OLDER_HELP)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Remove nothing, only say what would be.")] = False,
    as_json: Json = False,
) -> None:
    """Remove old dev versions and what dead attempts left; named versions and all files they name stay."""
    removal = api.gc(corpus, keep, older_than, dry_run)
    if as_json:
        print(json.dumps(removal.to_json()))
        return
    for line in api.collected(removal):
        console.print(Text(line), soft_wrap=True)


@app.command()
def doctor(
    root: Annotated[str | None, typer.Option(help=TRY_ROOT_HELP, envvar="CORPUSFORGE_ROOT")] = None,
    address: Annotated[str | None, typer.Option(help=TRY_ADDRESS_HELP, envvar="CORPUSFORGE_ADDRESS")] = None,
    ray: Annotated[bool, typer.Option("--ray", help="Start a local Ray and end it (some seconds).")] = False,
    as_json: Json = False,
) -> None:
    """Look at this machine as a build would meet it; exit 1 if something is wrong."""
    found = []
    for finding in api.doctor(root, address, ray):
        found.append(finding)
        if not as_json:
            console.print(Text(finding.line()), style=COLOURS[finding.state], soft_wrap=True)
    if as_json:
        print(json.dumps([vars(finding) for finding in found]))
    if any(finding.state == "error" for finding in found):
        raise typer.Exit(1)


new = typer.Typer(no_args_is_help=True, help="Write something of your own to begin with.")
app.add_typer(new, name="new")


@new.command("stage")
def new_stage(
    name: Annotated[str, typer.Argument(help="Its name, such as kana_share.")],
    folder: Annotated[Path, typer.Option(help="Where to write it.")] = Path(),
) -> None:
    """Write a stage and its test, both of which pass as they are; nothing is ever written over."""
    stage, test = api.new_stage(name, folder)
    made = "".join(word.capitalize() for word in name.split("_"))
    for line in (
        f"stage:   {stage}",
        f"test:    PYTHONPATH={folder} {sys.executable} -m pytest {test}",
        f'recipe:  stages: [{{use: "{name}:{made}"}}], with PYTHONPATH={folder} before corpusforge',
    ):
        console.print(Text(line), soft_wrap=True)


fit = typer.Typer(no_args_is_help=True, help="Fit models to data of your own.")
app.add_typer(fit, name="fit")


@fit.command("extractor")
def fit_extractor(
    data: Annotated[Path, typer.Argument(help="A folder of JSON Lines with url, html and text (docs/extraction.md).")],
    to: Annotated[Path, typer.Option(help="The model's file, ….npz; its score card is written beside it.")],
    seed: Annotated[int, typer.Option(help="Another seed is another model.")] = 0,
    workers: Annotated[int, typer.Option(help="Processes that read and label pages.", min=1)] = 1,
    note: Annotated[str, typer.Option(help="For the card: where the pages are from, and their licence.")] = "",
) -> None:
    """Fit the extractor of main text to pages whose text is known, judged on sites that it has not seen."""
    path = api.fit_extractor(data, to, seed, workers, note, lambda line: console.print(Text(line), soft_wrap=True))
    for line in (f"model:   {path}", f"card:    {path.with_suffix('.md')}"):
        console.print(Text(line), soft_wrap=True)


@app.command()
def recipes(as_json: Json = False) -> None:
    """List the shipped recipes."""
    found = {name: api.read_recipe(name).description.strip() for name in shipped()}
    _listing(found, as_json)


@app.command()
def stages(as_json: Json = False) -> None:
    """List the stages and sources there are, as a recipe names them."""
    parts = {**parts_in("corpusforge.sources"), **parts_in("corpusforge.stages")}
    _listing({name: (part.__doc__ or "").strip().splitlines()[0] for name, part in parts.items()}, as_json)


@app.command()
def schemas(folder: Annotated[Path, typer.Argument(help="Where to write them.")] = Path("schemas")) -> None:
    """Write the JSON Schemas of recipes, manifests, reports and documents."""
    for path in api.write_schemas(folder):
        console.print(Text(str(path)))


def _table(rows: Sequence[dict[str, Any]]) -> None:
    for row in rows:
        parts = {**row, **row.get("document", {})}
        told = (f"{name}={value}" for name, value in parts.items() if value is not None)
        console.print(Text("  ".join(told)), soft_wrap=True)


def _say(line: str) -> None:
    console.print(Text(line), soft_wrap=True)


def _relay(line: str) -> None:
    """Of a job's log only the JSON goes to standard output."""
    for part in line.splitlines():
        print(part, file=sys.stdout if part.startswith("{") else sys.stderr)


def _listing(found: dict[str, str], as_json: bool) -> None:
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    for name, line in found.items():
        console.print(Text(f"{name:28} {' '.join(line.split())}"))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; an expected error is one message and exit 1, Ctrl-C prints how to go on."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    _exit_with(lambda: app(given, standalone_mode=False), shlex.join([api.program(), *given]))


def _exit_with(run: Callable[[], Any], command: str) -> None:
    try:
        code = run()
    except (KeyboardInterrupt, typer.Abort):
        code = STOPPED
    except api.BuildFailed as error:
        text = f"{error}\nAll other units of the pass are committed. Try these again with:\n  {command}"
        more = f"--allow-failed {len(error.failed)}, and another --version if you gave one"
        errors.print(Text(f"{text}\nor go on without them for good: add {more}"), soft_wrap=True)
        sys.exit(1)
    except EXPECTED as error:
        errors.print(Text(f"error: {error}"), soft_wrap=True)
        sys.exit(1)
    except typer.Exit as ended:
        sys.exit(ended.exit_code)
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        if message := error.format_message():
            errors.print(Text(f"error: {message}"), soft_wrap=True)
        sys.exit(2)
    if code == STOPPED:
        errors.print(Text(f"\nstopped; nothing committed is lost. Go on with:\n  {command}"), soft_wrap=True)
    sys.exit(code if isinstance(code, int) else 0)
