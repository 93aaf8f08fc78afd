"""Which options do several commands share, in the same words? Loaded to parse, so nothing slow is imported here."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Annotated

import typer

from bespoke.errors import UserError

# How a table is read: the same for every command that takes a catalogue.
FileColumn = Annotated[
    str | None, typer.Option(help="The table's column that names the picture; guessed unless given.", metavar="NAME")
]
TextColumns = Annotated[
    list[str] | None,
    typer.Option("--text-column", help="The column that holds the caption; may be repeated.", metavar="NAME"),
]
Template = Annotated[
    str | None, typer.Option(help="A caption put together from columns: '{color} {type}'.", metavar="TEXT")
]
# What several commands ask in the same words.
Pairs = Annotated[str, typer.Argument(help="A folder of pictures with captions.", metavar="CATALOGUE")]
Images = Annotated[str | None, typer.Option(help="How many pictures to show instead, such as 500k or 2M.", metavar="N")]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", help="Change a value of the preset; may be repeated.", metavar="KEY=VALUE")
]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave out pictures that cannot be read.")]
Language = Annotated[
    str | None, typer.Option(help="Of the report: en or ja; the system's unless given.", metavar="LANGUAGE")
]
Languages = Annotated[
    str | None,
    typer.Option(help="Of the report: en, ja, or en,ja for both; the system's unless given.", metavar="LANGUAGE"),
]
MinutesEach = Annotated[float | None, typer.Option(help="How long to train each model.")]
Experiment = Annotated[
    Path, typer.Option(help="A new folder, or that of an interrupted one to go on with.", metavar="FOLDER")
]
_SPLITS = "validation to choose between models, test to report, held-out for both, train to see what they know"
AskedSplit = Annotated[
    str | None,
    typer.Option(help=f"{_SPLITS}; validation unless given, held-out where that is too small.", metavar="SPLIT"),
]
Preset = Annotated[str, typer.Option(help="A row of the table of presets.")]
NumPictures = Annotated[int, typer.Option(help="At most; one for each real picture of the split.")]
# Of `bespoke train`.
Base = Annotated[
    str | None,
    typer.Option("--from", help="Start from a model, such as products, not from scratch.", metavar="BASE"),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on where RUN stopped; --minutes or --images then change its budget.")
]
Teach = Annotated[
    bool, typer.Option("--edit", help="Teach the finished RUN to edit pictures; 15 minutes unless given.")
]
# Of `bespoke edit`.
EditingModel = Annotated[
    str,
    typer.Argument(
        help="A run, model folder or hub id that was taught to edit, or products, which was.", metavar="RUN"
    ),
]
SourceText = Annotated[
    str | None, typer.Option("--from", help="What it shows now: only what differs is changed.", metavar="TEXT")
]
Strength = Annotated[float, typer.Option(help="From 0 (as it is) to 1 (all over).")]
Mask = Annotated[
    Path | None, typer.Option(help="A picture of the same size: white may change, black stays.", metavar="FILE")
]
EditsFolder = Annotated[
    Path | None, typer.Option(help="A new or empty folder; edits, edits-2, ... unless given.", metavar="DIR")
]
# Of every command that takes a model.
Model = Annotated[
    str,
    typer.Argument(help="A run, a model folder, a hub id, or products, which comes with Bespoke.", metavar="RUN"),
]
# Of `bespoke evaluate`.
Against = Annotated[
    Path | None,
    typer.Option(help="The report.json of the last model: what is better or worse since.", metavar="REPORT"),
]
Balances = Annotated[
    list[float] | None, typer.Option("--balance", help="May be repeated; 0, 0.5 and 1 unless given.", metavar="B")
]
GateChanges = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change a release gate: gates.realism=0.8; may be repeated.", metavar="KEY=VALUE"),
]
ByGates = Annotated[
    bool, typer.Option("--gate", help="Say which release gates fail, and end with exit code 1 if any does.")
]
PaperMetrics = Annotated[
    list[str] | None,
    typer.Option(
        "--metrics",
        help="Also figures of papers: all, inception, clip or dinov2, or NAME=PLACE of the weights; may be repeated.",
        metavar="NAME",
    ),
]
# Of `bespoke check`.
CheckFolder = Annotated[
    Path | None, typer.Option(help="A new or empty folder for the report; check-NAME unless given.", metavar="DIR")
]
CleanedFolder = Annotated[
    Path | None, typer.Option(help="A new or empty folder for a cleaned copy of the catalogue.", metavar="FOLDER")
]
# Of `bespoke generate`.
Prompts = Annotated[
    Path | None, typer.Option(help="A file of texts: one a line, or .jsonl, .csv or .xlsx with text.", metavar="FILE")
]
FirstSeed = Annotated[int | None, typer.Option(help="Of the first picture, the next has the next; drawn unless given.")]
PicturesFolder = Annotated[
    Path | None, typer.Option(help="A new or empty folder; pictures, pictures-2, ... unless given.", metavar="DIR")
]
# Of `bespoke studio`.
StudioHome = Annotated[
    Path | None,
    typer.Option(help="Its folder, made where it is missing; bespoke-studio unless given.", metavar="DIR"),
]
Database = Annotated[
    str | None,
    typer.Option(help="postgresql://USER:PASSWORD@HOST/NAME; SQLite in DIR unless given.", metavar="URL"),
]
PictureStorage = Annotated[
    str | None,
    typer.Option(help="s3://BUCKET/PREFIX for the pictures; in DIR unless given.", metavar="URL"),
]
# Of `bespoke evaluate`.
ReportFolder = Annotated[
    Path | None,
    typer.Option(help="A new or empty folder for the report; evaluation-RUN unless given.", metavar="DIR"),
]
# Of `bespoke compare`.
Arms = Annotated[
    str, typer.Option(help="Variants of the method; the first is what the others are compared with.", metavar="A,B")
]
AskEdits = Annotated[bool, typer.Option("--edit", help="Measure how well it edits instead, if it was taught to.")]
# Of `bespoke front`.
AgainstApart = Annotated[
    list[str] | None,
    typer.Option(
        "--against",
        help="Another model, such as one trained at balance B alone, drawn at B; may be repeated.",
        metavar="RUN@B",
    ),
]
FrontBalances = Annotated[
    list[float] | None,
    typer.Option("--balance", help="May be repeated; 0, 0.25, 0.5, 0.75 and 1 unless given.", metavar="B"),
]
NewFolder = Annotated[Path, typer.Option(help="A new or empty folder for the report.", metavar="FOLDER")]


_MAY_BE_EMPTY = ("--database", "--storage")  # which then is SQLite and the disk, whatever the environment says


def check_given(arguments: Sequence[str]) -> None:
    """Raise UserError for an option with an empty value: a path out of it would be the current folder, in silence."""
    told = list(takewhile(lambda argument: argument != "--", arguments))
    empty = [option for option, value in pairwise(told) if option.startswith("--") and "=" not in option and not value]
    empty += [argument[:-1] for argument in told if argument.startswith("--") and argument[-1] == "="]
    for option in empty:
        if option in _MAY_BE_EMPTY:
            continue
        raise UserError(f"{option}: an empty value; give one, or leave the option out")
