"""API keys and their scopes. On a loopback address none is needed unless the settings say so."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from ipaddress import ip_address
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from serving.desk import Desk
from serving.errors import NotAllowed, NotAuthenticated, UnsafeStart
from serving.storage.keys import ApiKeyRecord, ApiKeyRepository


class Scope(StrEnum):
    TRIAGE = "triage"
    ANSWER = "answer"
    SUGGEST = "suggest"
    FEEDBACK = "feedback"
    REPORT = "report"
    REVIEW = "review"


_bearer = HTTPBearer(auto_error=False, description="An API key of `frontdesk keys create`.")


def require(scope: Scope) -> Callable[..., Awaitable[None]]:
    """A dependency that lets a request pass which may do this."""

    async def check(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> None:
        if not request.app.state.keys_required:
            return
        if given is None:
            raise NotAuthenticated("Send an API key: Authorization: Bearer fd_…")
        key = await run_in_threadpool(_find, request.app.state.desk, given.credentials)
        if key is None:
            raise NotAuthenticated("This API key is unknown or revoked. Make one with `frontdesk keys create`.")
        if scope not in key.scopes:
            raise NotAllowed(f"The key {key.name!r} may {', '.join(key.scopes)}, and this needs {scope.value}.")

    return check


def _find(desk: Desk, key: str) -> ApiKeyRecord | None:
    with desk.database.transaction(read_only=True) as session:
        return ApiKeyRepository(session).find(key)


def keys_required(desk: Desk, host: str) -> bool:
    """Whether requests need a key when serving on `host`.

    Raises:
        UnsafeStart: on an address that others can reach while no key exists.
    """
    if is_loopback(host):
        return desk.settings.require_keys
    with desk.database.transaction(read_only=True) as session:
        active = [key for key in ApiKeyRepository(session).list() if key.revoked_at is None]
    if not active:
        raise UnsafeStart(
            f"{host} can be reached from other machines and no API key exists, so anybody could use this desk. "
            "Make a key with `frontdesk keys create NAME`, or serve on 127.0.0.1."
        )
    return True


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
