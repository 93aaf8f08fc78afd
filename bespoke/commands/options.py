"""Which options do several commands share, in the same words? Loaded to parse, so nothing slow is imported here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
MinutesEach = Annotated[float | None, typer.Option(help="How long to train each model.")]
Experiment = Annotated[
    Path, typer.Option(help="A new folder, or that of an interrupted one to go on with.", metavar="FOLDER")
]
Split = Annotated[
    str, typer.Option(help="validation to choose between models, test to report, train to see what they know.")
]
Preset = Annotated[str, typer.Option(help="A row of the table of presets.")]
NumPictures = Annotated[int, typer.Option(help="At most; one for each real picture of the split.")]
