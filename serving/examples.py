"""Real requests and responses for the OpenAPI pages, recorded by `make examples`."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

PATH = Path(__file__).parent / "examples.json"


@cache
def recorded() -> dict[str, Any]:
    """`{name: {"request": …, "response": …}}`; empty before the first recording."""
    return dict(json.loads(PATH.read_text(encoding="utf-8"))) if PATH.is_file() else {}


def example(
    name: str, model: type, others: Mapping[int | str, dict[str, Any]] = MappingProxyType({})
) -> dict[str, Any]:
    """Keyword arguments of a route: its response model, the recorded example of both directions, other responses."""
    arguments: dict[str, Any] = {"response_model": model, "responses": dict(others)}
    found = recorded().get(name)
    if found is not None:
        arguments["responses"][200] = {"content": {"application/json": {"example": found["response"]}}}
    if found is not None and found["request"] is not None:
        body = {"content": {"application/json": {"example": found["request"]}}}
        arguments["openapi_extra"] = {"requestBody": body}
    return arguments
