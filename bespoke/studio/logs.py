"""What does the studio write down? One JSON object a line on standard error, one line a request."""

from __future__ import annotations

import json
import logging
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

LOG = logging.getLogger("bespoke.request")
_USUAL = {*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName", "color_message"}


class JsonLines(logging.Formatter):
    """A record as one line; whatever `extra` brought becomes a key."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        for key, value in record.__dict__.items():
            if key in _USUAL:
                continue
            if isinstance(value, HttpRequest):
                line["request"] = getattr(value, "id", None)
            elif isinstance(value, (str, int, float, bool, type(None))):
                line[key] = value
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class RequestLog(MiddlewareMixin):
    """The middleware that gives each request an id, which error pages show, and writes its line: no text or address."""

    def process_request(self, request: Any) -> None:
        request.id, request.began = uuid.uuid4().hex[:12], time.perf_counter()

    def process_response(self, request: Any, response: HttpResponseBase) -> HttpResponseBase:
        match, user = request.resolver_match, getattr(request, "user", None)
        response.headers["X-Request-ID"] = request.id
        told = {
            "request": request.id,
            "method": request.method,
            "route": match.view_name if match else None,
            "status": response.status_code,
            "milliseconds": round(1000 * (time.perf_counter() - request.began), 1),
            "user": user.pk if user is not None and user.is_authenticated else None,
        }
        LOG.info("request", extra=told)
        return response
