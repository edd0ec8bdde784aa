"""Errors as RFC 9457 problem documents: one table says which class of error is which status."""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from serving.errors import BadRequest, NotAllowed, NotAuthenticated
from serving.storage.engine import StorageError
from serving.storage.records import ConflictingRequest, UnknownDecision, UnknownSuggestion

MEDIA_TYPE = "application/problem+json"
STATUS = {
    NotAuthenticated: HTTPStatus.UNAUTHORIZED,
    NotAllowed: HTTPStatus.FORBIDDEN,
    UnknownDecision: HTTPStatus.NOT_FOUND,
    UnknownSuggestion: HTTPStatus.NOT_FOUND,
    ConflictingRequest: HTTPStatus.CONFLICT,
}

log = logging.getLogger(__name__)


def problem(
    status: int, detail: str, errors: Sequence[dict[str, Any]] = (), headers: dict[str, str] | None = None
) -> JSONResponse:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
    }
    if errors:
        body["errors"] = list(errors)
    return JSONResponse(body, status, headers=headers, media_type=MEDIA_TYPE)


def add_problem_handlers(app: FastAPI) -> None:
    for kind, status in STATUS.items():
        app.add_exception_handler(kind, _handler(status))
    app.add_exception_handler(BadRequest, _bad_request)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(StorageError, _storage)
    app.add_exception_handler(Exception, _unknown)


def _handler(status: HTTPStatus) -> Any:
    def handle(_request: Request, error: Exception) -> JSONResponse:
        headers = {"WWW-Authenticate": "Bearer"} if status is HTTPStatus.UNAUTHORIZED else None
        return problem(status, str(error), headers=headers)

    return handle


def _bad_request(_request: Request, error: Exception) -> JSONResponse:
    field = error.field if isinstance(error, BadRequest) else ""
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error), [{"field": field, "message": str(error)}])


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    # The input itself is not echoed: it is the customer's, and it may not even be encodable.
    errors = [{"field": _field(one["loc"]), "message": _message(one)} for one in found]
    first = errors[0] if errors else {"field": "body", "message": "cannot be read"}
    status = HTTPStatus.BAD_REQUEST if any(one["type"] == "json_invalid" for one in found) else 422
    return problem(status, f"{first['field']}: {first['message']}", errors)


def _field(location: Sequence[Any]) -> str:
    return ".".join(str(part) for part in location[1:]) or str(location[0])


def _message(one: dict[str, Any]) -> str:
    context = one.get("ctx") or {}
    match one["type"]:
        case "json_invalid":
            return f"the body is not JSON ({context.get('error', 'unreadable')})"
        case "string_unicode":
            return "it holds a lone surrogate, which no Unicode text has; send whole characters"
        case "value_error":
            return str(context.get("error", one["msg"]))
        case _:
            return str(one["msg"])


def _http(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        return problem(500, "An unknown error.")
    return problem(error.status_code, str(error.detail), headers=dict(error.headers or {}))


def _storage(_request: Request, error: Exception) -> JSONResponse:
    log.error("storage failed: %s", error)
    detail = "The database cannot be used now, and nothing of this request was kept. Send it again later."
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "5"})


def _unknown(_request: Request, error: Exception) -> JSONResponse:
    log.error("unknown error", exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here; it is in the server's log.")
