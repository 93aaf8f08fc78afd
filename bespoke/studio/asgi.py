"""What does the web server call? Django, and beside it the style sheets and scripts, which need no Django."""

from __future__ import annotations

from pathlib import Path
from wsgiref.headers import Headers

import ninja
from django.core.asgi import get_asgi_application
from servestatic import ServeStaticASGI

from bespoke.studio.bodies import limited

PREFIX = "/static/"


def make_application() -> ServeStaticASGI:
    """The ASGI application; Django is set up by it, and answers whatever is not a file."""

    def add_headers(headers: Headers, path: str, url: str) -> None:
        headers["X-Content-Type-Options"] = "nosniff"

    # Natively asynchronous: through a bridge from WSGI, a request that is there before the last one on its connection
    # is answered whole inherits an executor that has quit.
    django = limited(get_asgi_application())
    served = ServeStaticASGI(django, max_age=3600, allow_all_origins=False, add_headers_function=add_headers)
    for package, folder in ((Path(__file__).parent, "studio"), (Path(ninja.__file__).parent, "ninja")):
        served.add_files(package / "static" / folder, prefix=f"{PREFIX}{folder}/")
    return served
