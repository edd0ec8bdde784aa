"""Requests that are too large are refused before they are read into memory, and each request is logged once."""

import logging
import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.problems import problem

MAX_BODY = 4 * 1024 * 1024
"""Bytes: 256 messages of 4,000 four-byte characters."""

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("frontdesk.http")


class BodyLimit:
    """Answers 413 to a body over the limit, whether its length is announced or only shows on reading."""

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY) -> None:
        self._app, self._limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        chunks: list[Message] = []
        size = int(announced) if announced.isdigit() else 0
        more = size <= self._limit
        received = 0
        while more:
            message = await receive()
            chunks.append(message)
            received += len(message.get("body", b""))
            more = message.get("more_body", False) and received <= self._limit
        if max(size, received) > self._limit:
            detail = f"The body has {max(size, received):,} bytes; the limit is {self._limit:,}. Send less at once."
            errors = [{"field": "body", "message": detail}]
            await problem(413, detail, errors, {"Connection": "close"})(scope, receive, send)
            return
        replay = iter(chunks)

        async def read() -> Message:
            return next(replay, None) or await receive()

        await self._app(scope, read, send)


class RequestLog:
    """One structured line a request: method, route, status and duration, and nothing that a customer wrote."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            duration = round(1000 * (time.perf_counter() - started), 2)
            log.info("request", method=scope["method"], route=route, status=status, ms=duration)


def configure_logging(level: str) -> None:
    """JSON lines on standard error, for this program's loggers and those of its libraries alike."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    logging.getLogger("alembic").setLevel(logging.WARNING)
