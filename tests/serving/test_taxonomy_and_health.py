"""GET /v1/taxonomy, /healthz, /readyz, and the pages that describe the API."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.openapi.models import OpenAPI
from starlette.testclient import TestClient

from serving.desk import Desk
from tests.serving.wire import PASSWORD, assert_problem, client_of, ok


def test_the_taxonomy_describes_every_label_of_the_desk(client: TestClient, light_desk: Desk) -> None:
    found = ok(client.get("/v1/taxonomy"))
    assert set(found) == {"version", "areas", "intents", "urgencies", "channels", "tasks"}
    fields = {
        *("id", "area", "title", "description", "examples", "near", "complexity", "sensitive", "self_service", "role")
    }
    assert {intent["area"] for intent in found["intents"]} == {area["id"] for area in found["areas"]}
    assert all(set(intent) == fields and intent["title"] and intent["description"] for intent in found["intents"])
    assert all(set(level) == {"id", "criteria"} and level["criteria"] for level in found["urgencies"])
    assert [level["id"] for level in found["urgencies"]] == ["low", "normal", "high", "critical"]
    assert found["channels"] == list(light_desk.current().pipeline.policy.ids)
    assert set(found["tasks"]) == {"intent", "urgency", "channel"}
    assert found["tasks"]["intent"] == list(light_desk.current().pipeline.bundle.heads["intent"].labels)
    assert set(found["tasks"]["intent"]) < {intent["id"] for intent in found["intents"]}


@pytest.mark.parametrize("language", sorted(PASSWORD))
def test_every_label_of_a_triage_is_in_the_taxonomy(client: TestClient, language: str) -> None:
    taxonomy, triage = ok(client.get("/v1/taxonomy")), ok(client.post("/v1/triage", json={"text": PASSWORD[language]}))
    assert triage["intent"]["label"] in {intent["id"] for intent in taxonomy["intents"]}
    assert triage["urgency"]["label"] in {level["id"] for level in taxonomy["urgencies"]}
    assert {one["channel"] for one in triage["channel"]["ranking"]} == set(taxonomy["channels"])
    assert triage["versions"]["taxonomy"] == taxonomy["version"]


def test_a_desk_that_can_work_says_with_what(client: TestClient, light_desk: Desk) -> None:
    assert ok(client.get("/healthz")) == {"status": "ok", "checks": {}}
    found = ok(client.get("/readyz"))
    assert found["status"] == "ok"
    assert set(found["checks"]) == {"encoder", "bundle", "knowledge", "database"}
    assert "light" in found["checks"]["encoder"]
    assert found["checks"]["bundle"] == light_desk.current().pipeline.bundle.reference
    assert found["checks"]["knowledge"].startswith(light_desk.current().knowledge.version)


def test_a_desk_whose_database_is_damaged_is_alive_and_not_ready(own_desk: Desk) -> None:
    client = client_of(own_desk)
    own_desk.database.close()
    for file in own_desk.settings.data_dir.glob("frontdesk.db*"):
        file.write_bytes(b"a coffee was poured over this" * 1000)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["status"] == "failing"
    assert response.json()["checks"]["database"].startswith("failing")
    assert response.json()["checks"]["bundle"] == own_desk.current().pipeline.bundle.reference
    assert ok(client.get("/healthz"))["status"] == "ok"
    refused = client.post("/v1/triage", json={"text": PASSWORD["vi"]})
    assert str(own_desk.settings.data_dir) not in assert_problem(refused, 503)["detail"]


def _parts(document: Any) -> Iterator[dict[str, Any]]:
    if isinstance(document, dict):
        yield document
    for inner in document.values() if isinstance(document, dict) else document if isinstance(document, list) else ():
        yield from _parts(inner)


def test_the_openapi_document_is_whole(client: TestClient) -> None:
    document = ok(client.get("/openapi.json"))
    OpenAPI.model_validate(document)
    for reference in {part["$ref"] for part in _parts(document) if isinstance(part.get("$ref"), str)}:
        home, _, name = reference.rpartition("/")
        assert home == "#/components/schemas"
        assert name in document["components"]["schemas"]
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert all(operation["description"] and operation["tags"] for operation in operations)
    for path, methods in document["paths"].items():
        in_path = set(re.findall(r"{(\w+)}", path))
        named = {one["name"] for one in next(iter(methods.values())).get("parameters", []) if one["in"] == "path"}
        assert in_path == named


def test_the_openapi_document_names_the_problems_of_every_route(client: TestClient) -> None:
    paths = ok(client.get("/openapi.json"))["paths"]
    assert set(paths) == {
        *("/v1/triage", "/v1/triage/batch", "/v1/triage/{triage_id}/corrections"),
        *("/v1/answers", "/v1/answers/{answer_id}/outcome", "/v1/knowledge/gaps"),
        *("/v1/suggestions", "/v1/suggestions/{suggestion_id}/events"),
        *("/v1/reply-candidates", "/v1/reply-candidates/{candidate_id}/review"),
        *("/v1/taxonomy", "/healthz", "/readyz"),
    }
    for path, methods in paths.items():
        for operation in methods.values():
            if path.startswith("/v1/"):
                assert {"200", "401", "403", "422", "503"} <= set(operation["responses"])
                assert "application/problem+json" in operation["responses"]["422"]["content"]
    assert "409" in paths["/v1/triage"]["post"]["responses"]
    assert "409" in paths["/v1/answers"]["post"]["responses"]


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_the_pages_need_no_other_host(client: TestClient, page: str) -> None:
    response = client.get(page)
    assert response.status_code == 200
    loaded = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)["']""", response.text)
    assert loaded
    assert [address for address in loaded if not re.match(r"/(?!/)", address)] == []
    for address in loaded:
        assert client.get(address).status_code == 200, address
