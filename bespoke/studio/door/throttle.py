"""How often may somebody guess a password? A few times a name and address, more often an address, or a name, in all.

The last two limits are wide: the one for offices behind one address, the other so that nobody can shut out a colleague
by failing in their name. An attempt is written down before the password is looked at, so that many at the same instant
are no way around; success erases it.
"""

from __future__ import annotations

import hashlib
import math
import unicodedata
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from bespoke.studio.door.models import Attempt

WINDOW = timedelta(minutes=15)
MOST_TOGETHER, MOST_BY_ADDRESS, MOST_BY_NAME = 5, 30, 60


class TooManyError(Exception):
    """So many attempts have failed that this one is not looked at."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"come back in {seconds} seconds")
        self.seconds = seconds


@transaction.atomic
def knock(name: str, address: str) -> Attempt:
    """Write down an attempt before it is looked at. Raises TooManyError, and then it is not counted."""
    now, name = timezone.now(), _hashed(name)
    Attempt.objects.filter(at__lt=now - WINDOW).delete()
    for who, most in (
        (Q(name=name, address=address), MOST_TOGETHER),
        (Q(address=address), MOST_BY_ADDRESS),
        (Q(name=name), MOST_BY_NAME),
    ):
        last = Attempt.objects.filter(who).order_by("-at").values_list("at", flat=True)[:most]
        if len(last) == most:
            raise TooManyError(max(1, math.ceil((last[most - 1] + WINDOW - now).total_seconds())))
    return Attempt.objects.create(at=now, name=name, address=address)


def succeed(attempt: Attempt) -> None:
    """Forget what failed before somebody remembered the password."""
    Attempt.objects.filter(name=attempt.name, address=attempt.address).delete()


def forget(name: str) -> None:
    """Forget what failed in a name, from wherever: its person is erased."""
    Attempt.objects.filter(name=_hashed(name)).delete()


def _hashed(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).casefold()
    return hashlib.sha256(folded.encode("utf-8", "replace")).hexdigest()
