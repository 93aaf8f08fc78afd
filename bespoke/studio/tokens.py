"""How does a program prove who it is? By a token that is shown once; only its hash is kept."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from bespoke.studio.models import Token

PREFIX = "bsp_"  # tells people, and scanners of leaked secrets, what it is
USED_STEP = timedelta(minutes=1)  # `used_at` is no finer: a write for every call would cost more than it tells


def _digest(token: str) -> str:
    # 256 random bits cannot be guessed, so a fast hash is enough; passwords need a slow one.
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def make_token(owner: Any, name: str) -> str:
    """A new token of `owner`; this is the only time that anybody sees it."""
    token = PREFIX + secrets.token_urlsafe(32)
    Token.objects.create(owner=owner, name=name, digest=_digest(token), hint=token[:8])
    return token


def user_of(request: HttpRequest) -> Any | None:
    """The active user for whom the request's token speaks; None without a valid one."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    found = Token.objects.select_related("owner").filter(digest=_digest(value.strip()), owner__is_active=True).first()
    if found is None:
        return None
    now = timezone.now()
    if found.used_at is None or now - found.used_at > USED_STEP:
        Token.objects.filter(pk=found.pk).update(used_at=now)
    return found.owner
