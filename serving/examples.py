"""Real requests and responses for the OpenAPI pages, recorded by `make examples`."""

import json
from functools import cache
from pathlib import Path
from typing import Any

PATH = Path(__file__).parent / "examples.json"


@cache
def recorded() -> dict[str, Any]:
    """`{name: {"request": …, "response": …}}`; empty before the first recording."""
    return dict(json.loads(PATH.read_text(encoding="utf-8"))) if PATH.is_file() else {}


def example(name: str, model: type) -> dict[str, Any]:
    """Keyword arguments of a route: its response model, and the recorded example of both directions."""
    found = recorded().get(name)
    if found is None:
        return {"response_model": model}
    response = {"content": {"application/json": {"example": found["response"]}}}
    arguments: dict[str, Any] = {"response_model": model, "responses": {200: response}}
    if found["request"] is not None:
        body = {"content": {"application/json": {"example": found["request"]}}}
        arguments["openapi_extra"] = {"requestBody": body}
    return arguments
