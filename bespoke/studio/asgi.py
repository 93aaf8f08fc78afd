"""What does the web server call? Django, and beside it the style sheets and scripts, which need no Django."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import ninja
from asgiref.sync import ThreadSensitiveContext
from asgiref.wsgi import WsgiToAsgi
from django.core.asgi import get_asgi_application
from whitenoise import WhiteNoise

from bespoke.studio.bodies import limited

PREFIX = "/static/"


def _nothing(environ: Any, start: Callable[..., Any]) -> Iterable[bytes]:
    start("404 Not Found", [("Content-Type", "text/plain"), ("X-Content-Type-Options", "nosniff")])
    return [b"not found\n"]


def _static() -> WsgiToAsgi:
    def add_headers(headers: Any, path: str, url: str) -> None:
        headers["X-Content-Type-Options"] = "nosniff"

    files = WhiteNoise(_nothing, max_age=3600, allow_all_origins=False, add_headers_function=add_headers)
    for package, folder in ((Path(__file__).parent, "studio"), (Path(ninja.__file__).parent, "ninja")):
        files.add_files(str(package / "static" / folder), prefix=f"{PREFIX}{folder}/")
    return WsgiToAsgi(files)


def make_application() -> Callable[[Any, Any, Any], Awaitable[None]]:
    """The ASGI application; Django is set up by it."""
    django = limited(get_asgi_application())
    static = _static()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        here = scope["type"] == "http" and scope["path"].startswith(PREFIX)
        if not here:
            await django(scope, receive, send)
            return
        async with ThreadSensitiveContext():  # a thread of its own, as Django gives every request
            await static(scope, receive, send)

    return application
