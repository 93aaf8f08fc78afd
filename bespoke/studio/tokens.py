"""How does a program prove who it is? By a token that is shown once; only its hash is kept."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from bespoke.studio.audit import record
from bespoke.studio.models import Token

PREFIX = "bsp_"  # tells people, and scanners of leaked secrets, what it is
USED_STEP = timedelta(minutes=1)  # `used_at` is no finer: a write for every call would cost more than it tells


def _digest(token: str) -> str:
    # 256 random bits cannot be guessed, so a fast hash is enough; passwords need a slow one.
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def make_token(owner: Any, name: str) -> str:
    """A new token of `owner`; this is the only time that anybody sees it."""
    token = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        made = Token.objects.create(owner=owner, name=name, digest=_digest(token), hint=token[:8])
        record(owner, "token.made", made)
    return token


@transaction.atomic
def revoke_token(token: Token) -> None:
    """End a token, for its owner."""
    record(token.owner, "token.revoked", token)
    token.delete()


def token_of(header: str) -> Token | None:
    """The token in an Authorization header, where it is one of ours and of an active user."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "bearer":
        return None
    return Token.objects.select_related("owner").filter(digest=_digest(value.strip()), owner__is_active=True).first()


def user_of(request: HttpRequest) -> Any | None:
    """The active user for whom the request's token speaks; None without a valid one."""
    found = token_of(request.headers.get("Authorization", ""))
    if found is None:
        return None
    now = timezone.now()
    if found.used_at is None or now - found.used_at > USED_STEP:
        Token.objects.filter(pk=found.pk).update(used_at=now)
    return found.owner
