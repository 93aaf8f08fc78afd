"""How is an upload to be read? What the form asked for, as it travels to the process that reads. Knows no Django."""

from __future__ import annotations

from typing import NamedTuple

from bespoke.data.columns import Columns, columns_asked


class Asked(NamedTuple):
    """The choices of the upload form; empty is guessed."""

    file_column: str = ""
    text_column: str = ""
    template: str = ""
    skip_bad: bool = False  # leave out what cannot be used, in place of refusing everything

    def columns(self) -> Columns:
        """As the reader of tables wants them. Raises UserError."""
        texts = [self.text_column] if self.text_column else []
        return columns_asked(self.file_column or None, texts, self.template or None)
