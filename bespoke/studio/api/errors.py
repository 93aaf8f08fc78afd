"""What does a program see when something is wrong? One shape, which OpenAI's clients read: what, where, what to do."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from pydantic import Field

from bespoke.errors import UserError
from bespoke.studio import jobs
from bespoke.studio.api import error
from bespoke.studio.limits import RETRY_SECONDS
from bespoke.studio.opening import BusyError
from bespoke.studio.policy.policy import BlockedError
from bespoke.studio.previews import asking


class Problem(Schema):
    """What is wrong."""

    message: str = Field(description="What is wrong, and what to do.")
    type: str = Field(description="`invalid_request_error` or `server_error`.")
    param: str | None = Field(description="The field that is wrong.")
    code: str | None = Field(description="For programs, where a program may do something about it.")


class Trouble(Schema):
    """An error as OpenAI's clients read it."""

    error: Problem


class RefusedError(Exception):
    """What was asked for cannot be done."""

    def __init__(self, status: int, message: str, *, param: str | None = None, code: str = "") -> None:
        super().__init__(message)
        self.status, self.param, self.code = status, param, code


def answers(shape: Any, status: int = 200) -> dict[Any, Any]:
    """What a route may answer: this, or one of the errors."""
    return {status: shape, frozenset({400, 401, 403, 404, 409, 413, 429, 500, 503, 507} - {status}): Trouble}


def files(*kinds: str) -> dict[str, Any]:
    """The description of a route that answers with a file of one of these media types."""
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in kinds}
    return {"responses": {200: {"description": "The file.", "content": content}}}


def patience(busy: str, away: str) -> dict[str, Any]:
    """The description of a route that may be busy (429) or without whom it asks (503): come back after Retry-After."""
    after = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
    return {"responses": {429: {"description": busy, "headers": after}, 503: {"description": away, "headers": after}}}


def trouble(api: NinjaAPI, request: HttpRequest, status: int, message: str, param: str = "", code: str = "") -> Any:
    """The answer to a request that went wrong."""
    response = api.create_response(request, error(status, message, param=param, code=code), status=status)
    if status in (429, 503):
        response["Retry-After"] = str(RETRY_SECONDS)
    if status in (500, 503):  # the job is there; OpenAI's client would order it again
        response["X-Should-Retry"] = "false"
    return response


def tell(api: NinjaAPI) -> None:
    """Let an API tell all its errors in this shape."""

    @api.exception_handler(AuthenticationError)
    def no_token(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        told = "no valid token; make one in the studio under API"
        response: HttpResponse = trouble(api, request, 401, told, code="invalid_api_key")
        response["WWW-Authenticate"] = "Bearer"
        return response

    @api.exception_handler(HttpError)
    def http(request: HttpRequest, error: HttpError) -> Any:
        return trouble(api, request, error.status_code, error.message)

    @api.exception_handler(RefusedError)
    def refused(request: HttpRequest, error: RefusedError) -> Any:
        return trouble(api, request, error.status, str(error), error.param or "", error.code)

    @api.exception_handler(Http404)
    def none(request: HttpRequest, error: Http404) -> Any:
        return trouble(api, request, 404, "nothing here has this key; list what there is", code="not_found")

    @api.exception_handler(PermissionDenied)
    def denied(request: HttpRequest, error: PermissionDenied) -> Any:
        told = "the token's owner may not do this; ask an administrator, or whose it is"
        return trouble(api, request, 403, told, code="not_allowed")

    @api.exception_handler(jobs.QueueFullError)
    @api.exception_handler(BusyError)
    def full(request: HttpRequest, error: Exception) -> Any:
        return trouble(api, request, 429, "too many orders are waiting; come back in a moment", code="queue_full")

    @api.exception_handler(asking.BusyError)
    def busy(request: HttpRequest, error: Exception) -> Any:
        return trouble(api, request, 429, "asked too often, or by too many at once; come back in a moment", code="busy")

    @api.exception_handler(asking.AwayError)
    def away(request: HttpRequest, error: Exception) -> Any:
        told = "previews are away for a moment, orders are drawn all the same; come back in a moment"
        return trouble(api, request, 503, told, code="away")

    @api.exception_handler(BlockedError)
    def blocked(request: HttpRequest, error: BlockedError) -> Any:
        told = f"this studio's rules do not allow {error}; write it without"
        return trouble(api, request, 400, told, code="blocked_words")

    @api.exception_handler(UserError)
    def mistake(request: HttpRequest, error: UserError) -> Any:
        return trouble(api, request, 409, str(error))

    @api.exception_handler(ValidationError)
    def invalid(request: HttpRequest, error: ValidationError) -> Any:
        first = error.errors[0]
        loc = first.get("loc", ())
        # Of JSON, below its schema.
        where = ".".join(str(part) for part in loc[2 if loc[:1] == ("body",) else 1 :])
        return trouble(api, request, 400, f"{where}: {first.get('msg', 'not valid')}", where)
