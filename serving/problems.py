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
from serving.storage.answers import UnknownAnswer
from serving.storage.candidates import UnknownCandidate
from serving.storage.engine import StorageError
from serving.storage.records import ConflictingRequest, UnknownDecision, UnknownSuggestion

MEDIA_TYPE = "application/problem+json"
MAX_ERRORS = 20
"""Fields named in one answer; a broken client can get hundreds of thousands wrong at once."""
MAX_SHOWN = 64
"""Characters of a wrong value, or of a path, that an answer repeats."""
STATUS = {
    NotAuthenticated: HTTPStatus.UNAUTHORIZED,
    NotAllowed: HTTPStatus.FORBIDDEN,
    UnknownDecision: HTTPStatus.NOT_FOUND,
    UnknownSuggestion: HTTPStatus.NOT_FOUND,
    UnknownAnswer: HTTPStatus.NOT_FOUND,
    UnknownCandidate: HTTPStatus.NOT_FOUND,
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
    return JSONResponse(body, int(status), headers=headers, media_type=MEDIA_TYPE)


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
    errors = [{"field": _field(one), "message": _message(one)} for one in found[:MAX_ERRORS]]
    first = errors[0] if errors else {"field": "body", "message": "it cannot be read"}
    status = HTTPStatus.BAD_REQUEST if any(one["type"] == "json_invalid" for one in found) else 422
    return problem(status, f"{first['field']}: {first['message']}", errors)


def _field(one: dict[str, Any]) -> str:
    # What a JSON error has in this place is not a field but where in the text it is.
    location = one["loc"][:1] if one["type"] == "json_invalid" else one["loc"]
    return ".".join(str(part)[:100] for part in location[1:]) or str(location[0])


def _message(one: dict[str, Any]) -> str:
    context, given = one.get("ctx") or {}, one.get("input")
    match one["type"]:
        case "json_invalid":
            return f"it is not JSON ({context.get('error', 'unreadable')} at character {one['loc'][-1]})"
        case "missing":
            return "it is missing"
        case "extra_forbidden":
            return "it is unknown here; leave it out, or see /docs for the fields there are"
        case "string_unicode":
            return "it holds a lone surrogate, which no Unicode text has; send whole characters"
        case "string_too_long":
            return f"it has {len(str(given)):,} characters; the limit is {context['max_length']:,}"
        case "value_error":
            return str(context.get("error", one["msg"]))
        case "too_long" | "too_short" | "string_too_short":
            return str(one["msg"])
        case _ if isinstance(given, bytes):
            return "it is not a JSON object; send one, with Content-Type: application/json"
        case _:
            return f"{one['msg']}, and it is {_shown(given)}"


def _shown(given: object) -> str:
    """A value that is no longer than a name; of others, which may be the customer's words, only the kind."""
    match given:
        case None | bool():
            return {None: "null", True: "true", False: "false"}[given]
        case str() if len(given) > MAX_SHOWN:
            return f"a text of {len(given):,} characters"
        case int() | float() | str():
            return repr(given)
        case dict():
            return "an object"
        case _:
            return "an array"


def _http(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        return problem(500, "An unknown error.")
    headers = dict(error.headers or {})
    path = request.url.path[:MAX_SHOWN]
    match error.status_code:
        case HTTPStatus.BAD_REQUEST:
            # FastAPI's one answer to a body that it could not even decode.
            message = "it cannot be read as JSON in UTF-8"
            return problem(400, f"body: {message}", [{"field": "body", "message": message}], headers)
        case HTTPStatus.NOT_FOUND:
            return problem(404, f"There is nothing at {path}; see /docs for what there is.", headers=headers)
        case HTTPStatus.METHOD_NOT_ALLOWED:
            takes = headers.get("Allow", "another method")
            return problem(405, f"{path} does not take {request.method}; it takes {takes}.", headers=headers)
        case status:
            return problem(status, str(error.detail), headers=headers)


def _storage(_request: Request, error: Exception) -> JSONResponse:
    log.error("storage failed: %s", error)
    detail = "The database cannot be used now, and nothing of this request was kept. Send it again later."
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "5"})


def _unknown(_request: Request, error: Exception) -> JSONResponse:
    log.error("unknown error", exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here; it is in the server's log.")
