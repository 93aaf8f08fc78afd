"""What can be typed after `bespoke front`?"""

from __future__ import annotations

from typing import Annotated

import typer

from bespoke.commands import options

front_app = typer.Typer()


@front_app.command()
def front(
    model: options.Model,
    catalogue: Annotated[str, typer.Argument(help="The catalogue it was trained on.", metavar="CATALOGUE")],
    out: options.NewFolder,
    balances: options.FrontBalances = None,
    best_of: Annotated[int, typer.Option(help="Candidates of the rival that chooses; 1 leaves it out.")] = 4,
    against: options.AgainstApart = None,
    split: options.AskedSplit = None,
    num_pictures: options.NumPictures = 2000,
    language: options.Language = None,
    skip_bad: options.SkipBad = False,
    file_column: options.FileColumn = None,
    text_columns: options.TextColumns = None,
    template: options.Template = None,
) -> None:
    """Say whether the balance of a model does what its name says: against rivals, by a test fixed beforehand."""
    from bespoke.commands.front import measure_balance
    from bespoke.data.columns import columns_asked

    measure_balance(
        model,
        catalogue,
        out,
        balances=balances or (),
        best_of=best_of,
        against=against or (),
        split=split,
        num_pictures=num_pictures,
        language=language,
        columns=columns_asked(file_column, text_columns or (), template),
        skip_bad=skip_bad,
    )
