"""What does a user see when something they gave is wrong?"""

from __future__ import annotations

import errno

# What can be done about a file that fails, wherever that is noticed.
REMEDIES = {
    errno.ENOSPC: "free some disk space and try again",
    errno.EDQUOT: "free some disk space and try again",
    errno.ENAMETOOLONG: "give the name of a file or folder, and where it is one, a shorter one",
    errno.EACCES: "let your user read it, or write where it has to be written",
}


class UserError(ValueError):
    """A mistake the user can mend: one line that names the value, what was expected and what to do."""
