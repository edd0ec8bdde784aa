"""Who may ask: open on loopback, never open elsewhere, and each key only what its scopes say."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from serving.auth import Scope, keys_required
from serving.desk import Desk
from serving.errors import UnsafeStart
from serving.storage.keys import ApiKeyRepository, NewApiKey
from tests.serving.wire import PASSWORD, assert_problem, client_of, ok, rows

ROUTES: dict[tuple[str, str], tuple[Scope, dict[str, Any] | None]] = {
    ("POST", "/v1/triage"): (Scope.TRIAGE, {"text": PASSWORD["vi"]}),
    ("POST", "/v1/triage/batch"): (Scope.TRIAGE, {"messages": [{"text": PASSWORD["th"]}]}),
    ("GET", "/v1/taxonomy"): (Scope.TRIAGE, None),
    ("POST", "/v1/answers"): (Scope.ANSWER, {"question": PASSWORD["zh-Hans"]}),
    ("POST", "/v1/answers/nobody/outcome"): (Scope.ANSWER, {"outcome": "solved"}),
    ("GET", "/v1/knowledge/gaps"): (Scope.REPORT, None),
    ("POST", "/v1/suggestions"): (Scope.SUGGEST, {"text": PASSWORD["zh-Hant"]}),
    ("POST", "/v1/triage/nobody/corrections"): (Scope.FEEDBACK, {"task": "urgency", "label": "low"}),
    ("POST", "/v1/suggestions/nobody/events"): (Scope.FEEDBACK, {"kind": "displayed"}),
    ("GET", "/v1/reply-candidates"): (Scope.REVIEW, None),
    ("POST", "/v1/reply-candidates/nobody/review"): (Scope.REVIEW, {"status": "rejected", "reason": "outdated"}),
}
LOOPBACK = ["127.0.0.1", "127.8.8.8", "::1", "localhost"]
REACHABLE = ["0.0.0.0", "::", "192.168.1.5", "10.0.0.1", "2001:db8::5", "desk.example.com", "", "::ffff:127.0.0.1"]


def _key(desk: Desk, scopes: Sequence[Scope] = tuple(Scope)) -> NewApiKey:
    with desk.database.transaction() as session:
        return ApiKeyRepository(session).create("Quầy hỗ trợ", [scope.value for scope in scopes])


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture(scope="module")
def guarded(light_desk: Desk) -> TestClient:
    return client_of(light_desk, keys_required=True)


@pytest.fixture
def nothing_is_done(light_desk: Desk) -> Iterator[None]:
    before = rows(light_desk, "decisions"), rows(light_desk, "suggestions")
    yield
    assert (rows(light_desk, "decisions"), rows(light_desk, "suggestions")) == before


@pytest.mark.parametrize("host", LOOPBACK)
def test_on_loopback_no_key_is_needed_unless_the_settings_say_so(own_desk: Desk, host: str) -> None:
    assert not keys_required(own_desk, host)
    assert keys_required(replace(own_desk, settings=own_desk.settings.model_copy(update={"require_keys": True})), host)
    ok(client_of(own_desk).post("/v1/triage", json={"text": PASSWORD["ru"]}))


@pytest.mark.parametrize("host", REACHABLE)
def test_where_others_can_reach_it_a_desk_without_keys_does_not_start(own_desk: Desk, host: str) -> None:
    with pytest.raises(UnsafeStart, match=r"no API key exists.*frontdesk keys create"):
        keys_required(own_desk, host)
    made = _key(own_desk)
    assert keys_required(own_desk, host)
    with own_desk.database.transaction() as session:
        ApiKeyRepository(session).revoke(made.record.id)
    with pytest.raises(UnsafeStart):
        keys_required(own_desk, host)


@pytest.mark.usefixtures("nothing_is_done")
@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic ZmQ6ZmQ="},
        _bearer("fd_0000000000000000_" + "0" * 64),
        _bearer("fd_"),
        _bearer("x" * 5000),
    ],
)
def test_without_a_known_key_nothing_is_done(
    guarded: TestClient, method: str, path: str, headers: dict[str, str]
) -> None:
    response = guarded.request(method, path, json=ROUTES[method, path][1], headers=headers)
    assert "API key" in assert_problem(response, 401)["detail"]
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_a_key_that_is_altered_or_revoked_is_unknown(light_desk: Desk, guarded: TestClient) -> None:
    made = _key(light_desk)
    request = {"text": PASSWORD["en"]}
    ok(guarded.post("/v1/triage", json=request, headers=_bearer(made.key)))
    altered = made.key[:-1] + ("0" if made.key[-1] != "0" else "1")
    response = guarded.post("/v1/triage", json=request, headers=_bearer(altered))
    assert altered not in str(assert_problem(response, 401))
    with light_desk.database.transaction() as session:
        ApiKeyRepository(session).revoke(made.record.id)
    assert_problem(guarded.post("/v1/triage", json=request, headers=_bearer(made.key)), 401)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_key_opens_the_routes_of_its_scope_and_no_others(
    light_desk: Desk, guarded: TestClient, method: str, path: str
) -> None:
    scope, body = ROUTES[method, path]
    fits, others = _key(light_desk, [scope]), _key(light_desk, [one for one in Scope if one is not scope])
    refused = assert_problem(guarded.request(method, path, json=body, headers=_bearer(others.key)), 403)
    assert scope.value in refused["detail"]
    assert "Quầy hỗ trợ" in refused["detail"]
    # With the right scope a request gets as far as what it names, which is not there.
    response = guarded.request(method, path, json=body, headers=_bearer(fits.key))
    assert response.status_code == (404 if "nobody" in path else 200)


def test_a_key_is_asked_for_before_a_body_is_judged(guarded: TestClient) -> None:
    assert_problem(guarded.post("/v1/triage", json={"txet": 5}), 401)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/docs", "/openapi.json"])
def test_health_and_documentation_need_no_key(guarded: TestClient, path: str) -> None:
    assert guarded.get(path).status_code == 200
