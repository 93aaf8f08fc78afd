"""What does a user see when something they gave is wrong?"""

from __future__ import annotations


class UserError(ValueError):
    """A mistake the user can mend: one line that names the value, what was expected and what to do."""
