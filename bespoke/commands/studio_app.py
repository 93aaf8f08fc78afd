"""What can be typed after `bespoke studio`? Nothing, which runs it; or what keeps it safe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bespoke.commands import options
from bespoke.errors import UserError

HOST, PORT = "127.0.0.1", 8000

studio_app = typer.Typer()


@studio_app.callback(invoke_without_command=True)
def studio(
    context: typer.Context,
    home: options.StudioHome = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = HOST,
    port: Annotated[int, typer.Option(help="The port to listen on; 0 takes a free one.", min=0, max=65535)] = PORT,
    database: options.Database = None,
    storage: options.PictureStorage = None,
) -> None:
    """Run the web studio and its REST API: pictures from text for people who type no commands."""
    if (command := context.invoked_subcommand) is not None:
        # Else they would be passed over in silence.
        if (home, host, port, database, storage) != (None, HOST, PORT, None, None):
            told = f"write them after {command}: bespoke studio {command} FILE --home DIR"
            raise UserError(f"--home, --database, --storage: {told}")
        return
    from bespoke.commands.studio import studio

    studio(home, host=host, port=port, database=database, storage=storage)


@studio_app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to make, outside the studio.", metavar="FILE")],
    home: options.StudioHome = None,
    database: options.Database = None,
    storage: options.PictureStorage = None,
    without_models: Annotated[
        bool, typer.Option("--without-models", help="Leave out the largest part, where it is kept elsewhere.")
    ] = False,
) -> None:
    """Write all of a studio into one file: database, pictures, catalogues, models, keys. It may run meanwhile."""
    from bespoke.commands.studio import backup

    backup(home, file, database=database, storage=storage, models=not without_models)


@studio_app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A backup.", metavar="FILE")],
    home: options.StudioHome = None,
    database: options.Database = None,
    storage: options.PictureStorage = None,
) -> None:
    """Put a backup into a new folder, after every file of it was checked; wholly or not at all."""
    from bespoke.commands.studio import restore

    restore(home, file, database=database, storage=storage)


@studio_app.command("rotate-audit-key")
def rotate_audit_key(home: options.StudioHome = None, database: options.Database = None) -> None:
    """Seal the audit log with another key from now on, as when the old one has leaked. Stop the studio first."""
    from bespoke.commands.studio_audit import rotate_audit_key

    rotate_audit_key(home, database=database)


Name = Annotated[str, typer.Argument(help="As it stands under People.", metavar="NAME")]


@studio_app.command("export-person")
def export_person(
    name: Name,
    file: Annotated[Path, typer.Argument(help="The JSON file to make.", metavar="FILE")],
    home: options.StudioHome = None,
    database: options.Database = None,
) -> None:
    """Write everything that a studio holds on one person into a file. It may run meanwhile."""
    from bespoke.commands.studio_people import export_person

    export_person(home, name, file, database=database)


@studio_app.command("erase-person")
def erase_person(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Yes: it cannot be taken back.")] = False,
    home: options.StudioHome = None,
    database: options.Database = None,
) -> None:
    """Erase a person: name, password, tokens and sessions go, what they did stays under a pseudonym."""
    from bespoke.commands.studio_people import erase_person

    erase_person(home, name, yes=yes, database=database)
