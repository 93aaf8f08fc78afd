"""What can be typed? The commands are parsed here and carried out in commands/, which is loaded when needed."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from bespoke.commands import options
from bespoke.commands.front_app import front_app
from bespoke.commands.studio_app import studio_app
from bespoke.errors import REMEDIES, UserError

INTERRUPTED = 130  # what shells expect of a program stopped by Ctrl-C

app = typer.Typer(
    help="Text-to-image models cut to one catalogue.",
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def demo(
    minutes: Annotated[float, typer.Option(help="How long to train.")] = 5.0,
    language: options.Language = None,
    out: Annotated[Path | None, typer.Option(help="A new folder; bespoke-demo unless given.", metavar="DIR")] = None,
) -> int:
    """See the whole way in minutes: check 300 pictures of a new product line, train on them, measure, draw, tell."""
    from bespoke.commands.demo import demo

    return _exit_code(finished=demo(minutes, language, out))


@app.command()
def check(
    catalogue: options.Pairs,
    file_column: options.FileColumn = None,
    text_columns: options.TextColumns = None,
    template: options.Template = None,
    language: options.Languages = None,
    out: options.CheckFolder = None,
    write: options.CleanedFolder = None,
) -> None:
    """Say whether a catalogue is fit for training, why, and what to add. Nothing in it is changed."""
    from bespoke.commands.check import check_catalogue
    from bespoke.data.columns import columns_asked

    columns = columns_asked(file_column, text_columns or (), template)
    check_catalogue(catalogue, columns=columns, language=language, out=out, write=write)


@app.command()
def train(
    catalogue: options.Pairs,
    out: Annotated[Path, typer.Option(help="The folder of the run.", metavar="RUN")],
    preset: Annotated[str | None, typer.Option(help="A row of the table of presets; cpu64 unless given.")] = None,
    minutes: Annotated[float | None, typer.Option(help="How long to train; 60 unless given.")] = None,
    images: options.Images = None,
    base: options.Base = None,
    resume: options.Resume = False,
    overrides: options.Overrides = None,
    skip_bad: options.SkipBad = False,
    file_column: options.FileColumn = None,
    text_columns: options.TextColumns = None,
    template: options.Template = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the resolved config and stop.")] = False,
    edit: options.Teach = False,
) -> int:
    """Train a model on a catalogue. Ctrl-C saves and stops; --resume goes on exactly."""
    from bespoke.commands.train import train
    from bespoke.data.columns import columns_asked

    finished = train(
        catalogue,
        out,
        preset=preset,
        minutes=minutes,
        images=images,
        base=base,
        resume=resume,
        overrides=overrides or (),
        skip_bad=skip_bad,
        columns=columns_asked(file_column, text_columns or (), template),
        dry_run=dry_run,
        edit=edit,
    )
    return _exit_code(finished=finished)


@app.command()
def generate(
    model: options.Model,
    texts: Annotated[list[str] | None, typer.Argument(help="What to draw.", metavar="TEXT...")] = None,
    prompts: options.Prompts = None,
    num_images: Annotated[int, typer.Option("-n", "--num-images", help="Pictures of every text.")] = 1,
    balance: Annotated[
        float, typer.Option(help="From 0 (most varied) to 1 (most alike); the text is shown best at 0.25 to 0.5.")
    ] = 0.5,
    seed: options.FirstSeed = None,
    best_of: Annotated[int, typer.Option(help="Candidates a picture; the best match to its text is kept.")] = 1,
    out: options.PicturesFolder = None,
) -> int:
    """Make pictures from text: PNGs with a metadata.jsonl beside them."""
    from bespoke.commands.generate import generate

    finished = generate(
        model,
        texts or (),
        prompts=prompts,
        num_images=num_images,
        balance=balance,
        seed=seed,
        best_of=best_of,
        out=out,
    )
    return _exit_code(finished=finished)


@app.command()
def edit(
    model: options.EditingModel,
    picture: Annotated[Path, typer.Argument(help="The picture to change, of any size.", metavar="PICTURE")],
    text: Annotated[str, typer.Argument(help="What it should show.", metavar="TEXT")],
    source: options.SourceText = None,
    strength: options.Strength = 0.7,
    mask: options.Mask = None,
    num_images: Annotated[int, typer.Option("-n", "--num-images", help="Versions, each with a seed of its own.")] = 1,
    seed: Annotated[int | None, typer.Option(help="Of the first version; drawn unless given.")] = None,
    sheet: Annotated[bool, typer.Option("--sheet", help="Also one picture of all versions and strengths.")] = False,
    out: options.EditsFolder = None,
) -> None:
    """Change a picture by its text; what the text does not speak of stays as it is."""
    from bespoke.commands.edit import edit

    edit(
        model,
        picture,
        text,
        source=source,
        strength=strength,
        mask=mask,
        num_images=num_images,
        seed=seed,
        sheet=sheet,
        out=out,
    )


@app.command()
def evaluate(
    model: options.Model,
    catalogue: Annotated[str, typer.Argument(help="The catalogue it was trained on.", metavar="CATALOGUE")],
    split: options.AskedSplit = None,
    balances: options.Balances = None,
    num_pictures: options.NumPictures = 2000,
    seed: Annotated[int, typer.Option(help="Of captions and pictures.")] = 0,
    language: options.Languages = None,
    skip_bad: options.SkipBad = False,
    file_column: options.FileColumn = None,
    text_columns: options.TextColumns = None,
    template: options.Template = None,
    out: options.ReportFolder = None,
    overrides: options.GateChanges = None,
    gate: options.ByGates = False,
    against: options.Against = None,
    metrics: options.PaperMetrics = None,
    edit: options.AskEdits = False,
) -> int:
    """Measure a model against real pictures: realism, faithfulness, variety, copies; a page with pictures and JSON."""
    from bespoke.commands.evaluate import evaluate_model
    from bespoke.commands.evaluate_edits import evaluate_model_edits
    from bespoke.data.columns import columns_asked

    columns = columns_asked(file_column, text_columns or (), template)
    if edit:
        if balances or overrides or gate or against or metrics:
            raise UserError("--edit: asks for edits alone; leave out --balance, --set, --gate, --against and --metrics")
        evaluate_model_edits(
            model,
            catalogue,
            split=split,
            num_pictures=num_pictures,
            seed=seed,
            language=language,
            columns=columns,
            skip_bad=skip_bad,
            out=out,
        )
        return 0
    passed = evaluate_model(
        model,
        catalogue,
        split=split,
        balances=balances or (),
        num_pictures=num_pictures,
        seed=seed,
        language=language,
        columns=columns,
        skip_bad=skip_bad,
        out=out,
        overrides=overrides or (),
        by_gates=gate,
        against=against,
        metrics=metrics or (),
    )
    return 1 if gate and not passed else 0


@app.command()
def compare(
    catalogue: options.Pairs,
    out: options.Experiment,
    arms: options.Arms = "dual,shared,frozen",
    seeds: Annotated[int, typer.Option(help="Trainings of each arm.")] = 3,
    minutes: options.MinutesEach = None,
    images: options.Images = None,
    preset: options.Preset = "cpu64",
    overrides: options.Overrides = None,
    split: options.AskedSplit = None,
    balances: Annotated[
        list[float] | None, typer.Option("--balance", help="May be repeated; 0.5 unless given.", metavar="B")
    ] = None,
    num_pictures: options.NumPictures = 2000,
    language: options.Language = None,
    skip_bad: options.SkipBad = False,
    file_column: options.FileColumn = None,
    text_columns: options.TextColumns = None,
    template: options.Template = None,
) -> int:
    """Train variants of the method with equal budgets and several seeds, and say which differences hold."""
    from bespoke.commands.compare import compare_arms
    from bespoke.data.columns import columns_asked

    finished = compare_arms(
        catalogue,
        out,
        arms=arms,
        seeds=seeds,
        minutes=minutes,
        images=images,
        preset=preset,
        overrides=overrides or (),
        split=split,
        balances=balances or (0.5,),
        num_pictures=num_pictures,
        language=language,
        columns=columns_asked(file_column, text_columns or (), template),
        skip_bad=skip_bad,
    )
    return _exit_code(finished=finished)


@app.command()
def tune(
    catalogue: options.Pairs,
    out: options.Experiment,
    trials: Annotated[int, typer.Option(help="Sets of values to try, those of former sittings included.")] = 20,
    minutes: options.MinutesEach = None,
    images: options.Images = None,
    preset: options.Preset = "cpu64",
    overrides: options.Overrides = None,
    split: options.AskedSplit = None,
    num_pictures: options.NumPictures = 2000,
    language: options.Language = None,
    skip_bad: options.SkipBad = False,
    file_column: options.FileColumn = None,
    text_columns: options.TextColumns = None,
    template: options.Template = None,
) -> int:
    """Search for settings that suit a catalogue: pictures close to real ones and true to the text."""
    from bespoke.commands.tune import tune_settings
    from bespoke.data.columns import columns_asked

    finished = tune_settings(
        catalogue,
        out,
        trials=trials,
        minutes=minutes,
        images=images,
        preset=preset,
        overrides=overrides or (),
        split=split,
        num_pictures=num_pictures,
        language=language,
        columns=columns_asked(file_column, text_columns or (), template),
        skip_bad=skip_bad,
    )
    return _exit_code(finished=finished)


app.add_typer(front_app)
app.add_typer(studio_app, name="studio")


@app.command()
def doctor() -> None:
    """Say what this machine can do and what is missing."""
    from bespoke.commands.doctor import doctor

    doctor()


def run(arguments: Sequence[str]) -> int:
    """Carry out a command line and return the exit code; a user's mistake is one line on standard error and 2."""
    try:
        options.check_given(arguments)
        code = app(list(arguments) or ["--help"], prog_name="bespoke", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except UserError as error:
        mistake = str(error)
    except typer.TyperException as error:
        mistake = f"{error.format_message()}; `bespoke COMMAND --help` explains"
    except OSError as error:
        remedy = REMEDIES.get(error.errno or 0)
        if remedy is None:
            raise
        mistake = f"{error.filename or 'disk'}: {error.strerror}; {remedy}"
    if _process_number() == 0:
        told = f"bespoke: {' '.join(mistake.split())}"
        print(told.encode("utf-8", "replace").decode(), file=sys.stderr)
    return 2


def main() -> NoReturn:
    """The program `bespoke`."""
    code = run(sys.argv[1:])
    if _num_processes() > 1:
        # Interpreters that have used gloo may abort while they end; by now everything is saved.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _exit_code(*, finished: bool) -> int:
    """Of a training; torchrun would take the usual code of an interruption for a crash."""
    return 0 if finished or _num_processes() > 1 else INTERRUPTED


def _num_processes() -> int:
    return int(os.environ.get("WORLD_SIZE", "1"))


def _process_number() -> int:
    return int(os.environ.get("RANK", "0"))
