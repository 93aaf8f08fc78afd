"""How large may a request be? Small, but for files, and those are taken from sessions and tokens that there are alone.

Django writes a body to the disk before it asks who sent it, so strangers are stopped here.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from http.cookies import CookieError, SimpleCookie
from typing import Any

from asgiref.sync import sync_to_async

from bespoke.studio.api import ADDRESSES, error
from bespoke.studio.limits import MOST_EDIT_BYTES, MOST_LIST_BYTES
from bespoke.studio.workshop.limits import MOST_UPLOAD_BYTES

MOST_BYTES = 2 * 2**20
UPLOADS = {
    "/catalogues/upload": MOST_UPLOAD_BYTES,
    "/edit": MOST_EDIT_BYTES,
    "/v1/images/edits": MOST_EDIT_BYTES,
    "/api/uploads": MOST_UPLOAD_BYTES,
    "/lists": MOST_LIST_BYTES,
    "/api/lists": MOST_LIST_BYTES,
}

App = Callable[[Any, Any, Any], Awaitable[None]]


class _TooLargeError(Exception):
    pass


def limited(app: App) -> App:
    """The application `app` behind a limit: who sends more is told so, and nothing of it is kept."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        left = MOST_BYTES
        more = UPLOADS.get(scope["path"], 0) if scope["method"] == "POST" else 0
        if more and await sync_to_async(_is_known)(scope):
            left += more

        async def counted() -> Any:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise _TooLargeError
            return message

        try:
            await app(scope, counted, send)
        except _TooLargeError:  # raised while the body is read, so nothing was answered yet
            told, kind = b"more was sent than is taken here\n", b"text/plain"
            if scope["path"].startswith(ADDRESSES):
                message = "more was sent than is taken here; send less at a time, and uploads with a token"
                told, kind = json.dumps(error(413, message)).encode("ascii"), b"application/json"
            length = str(len(told)).encode("ascii")
            headers = [(b"content-type", kind), (b"content-length", length), (b"connection", b"close")]
            await send({"type": "http.response.start", "status": 413, "headers": headers})
            await send({"type": "http.response.body", "body": told})

    return application


def _is_known(scope: Any) -> bool:
    """Whether a request comes with a session or a token that there is; what its user may do is asked later."""
    from django.conf import settings
    from django.contrib.sessions.backends.db import SessionStore
    from django.db import connection

    from bespoke.studio.tokens import token_of

    sent_tokens = [value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"]
    cookies = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
    try:
        if any(token_of(value) for value in sent_tokens):
            return True
        sent = SimpleCookie(cookies.decode("latin-1")).get(settings.SESSION_COOKIE_NAME)
        return sent is not None and bool(SessionStore().exists(sent.value))
    except CookieError:
        return False
    finally:
        connection.close()  # of this thread, which is none of a request
