"""What handlers share."""

from typing import Annotated, Any

from fastapi import Depends, Request

from serving.desk import Desk
from serving.schemas import ProblemOut, TextLanguage
from triage.types import DetectedLanguage


# Not a coroutine's work, but a plain function would cost every request a change of threads.
async def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


CurrentDesk = Annotated[Desk, Depends(_desk)]

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemOut"}}}


def problems(descriptions: dict[int, str]) -> dict[int | str, dict[str, Any]]:
    """Responses for the OpenAPI document, from statuses and what they mean."""
    return {
        status: {"description": description, "model": ProblemOut, "content": _PROBLEM}
        for status, description in descriptions.items()
    }


PROBLEMS = problems(
    {
        400: "The body is not JSON.",
        401: "No API key, or an unknown one.",
        403: "The key lacks the scope.",
        413: "The body is too large.",
        422: "A field is missing, of the wrong type or beyond its limit.",
        503: "The database cannot be used now.",
    }
)


def text_language(language: DetectedLanguage) -> TextLanguage:
    return TextLanguage(code=language.code, confidence=language.confidence)
