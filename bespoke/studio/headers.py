"""What may a browser do with our pages? Load from here and nowhere else, and be framed by nobody."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# The pages of documentation that django-ninja brings set styles from their script.
DOCS_POLICY = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")


class Headers(MiddlewareMixin):
    """The middleware that adds what Django's own does not."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        match = request.resolver_match
        docs = match is not None and match.url_name == "openapi-view"
        response.headers.setdefault("Content-Security-Policy", DOCS_POLICY if docs else POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        response.headers.setdefault("Cache-Control", "no-store")  # what one person saw, the next at this desk must not
        return response
