"""A running desk takes up promotions, rollbacks and modes whole, beside the requests; broken ones change nothing."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kb.store import KnowledgeStore
from kb.types import Article
from models.bundle import Bundle
from models.errors import RegistryError
from models.light import LightEncoder
from models.registry import STATE, Registry
from models.registry_state import TaskMode
from models.types import TextKind, Vectors
from serving.desk import Desk
from serving.keeper import Keeper
from serving.settings import Settings
from tests.serving.following import WHO, add_versions, opened, shifted
from tests.serving.wire import PASSWORD, WRONG_SIZE, client_of, ok

TEXTS = [*PASSWORD.values(), *WRONG_SIZE.values()]
Triage = dict[str, Any]


@pytest.fixture
def registry(light_bundle: Bundle, empty_database: Path, tmp_path: Path) -> Registry:
    folder = tmp_path / "desk"
    folder.mkdir()
    (folder / "frontdesk.db").write_bytes(empty_database.read_bytes())
    return add_versions(folder, light_bundle)


@pytest.fixture
def desk(registry: Registry, light_encoder: LightEncoder) -> Iterator[Desk]:
    with opened(registry.folder.parent, light_encoder) as desk:
        yield desk


def _triage(desk: Desk, texts: Sequence[str] = TEXTS) -> list[Triage]:
    results = ok(client_of(desk).post("/v1/triage/batch", json={"messages": [{"text": text} for text in texts]}))
    return [{name: value for name, value in found.items() if name != "id"} for found in results["results"]]


def _bundle(desk: Desk) -> str:
    return desk.current().pipeline.bundle.reference


def _soon(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.01)
    return False


def test_a_server_has_read_messages_before_it_takes_any(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    encode, read = LightEncoder.encode, []

    def noted(self: LightEncoder, texts: Sequence[str], kind: TextKind = TextKind.QUERY) -> Vectors:
        read.append(len(texts))
        return encode(self, texts, kind)

    monkeypatch.setattr(LightEncoder, "encode", noted)
    with desk.keeper.watching():
        assert read[:2] == [1, 2]


def test_a_promotion_is_noticed_while_it_serves_and_a_rollback_restores_every_output(
    desk: Desk, registry: Registry
) -> None:
    with desk.keeper.watching():
        before = _triage(desk)
        assert {found["versions"]["bundle"] for found in before} == {"help@1"}
        started = time.monotonic()
        registry.promote("help@2", who=WHO)
        assert _soon(lambda: _bundle(desk) == "help@2")
        # It is 2 s that are promised; a busy machine gets more here.
        assert time.monotonic() - started < 10
        promoted = _triage(desk)
        assert all(new["intent"]["label"] != old["intent"]["label"] for new, old in zip(promoted, before, strict=True))
        registry.rollback(who=WHO)
        assert _soon(lambda: _bundle(desk) == "help@1")
        assert _triage(desk) == before


def test_no_request_fails_or_mixes_two_bundles_while_they_change(
    desk: Desk, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.keeper.LOOK_AT_REGISTRY", 0.01)
    expected = {"help@1": _triage(desk)}
    registry.promote("help@2", who=WHO)
    desk.keeper.look_at_registry()
    expected["help@2"] = _triage(desk)
    stop = threading.Event()

    def ask() -> list[list[Triage]]:
        found = []
        while not stop.is_set():
            found.append(_triage(desk))
        return found

    with desk.keeper.watching(), ThreadPoolExecutor(3) as pool:
        asking = [pool.submit(ask) for _ in range(3)]
        for reference in ("help@1", "help@2") * 4:
            registry.promote(reference, who=WHO)
            assert _soon(lambda reference=reference: _bundle(desk) == reference)  # type: ignore[misc]
        stop.set()
        answered = [found for future in asking for found in future.result()]
    assert {found[0]["versions"]["bundle"] for found in answered} == {"help@1", "help@2"}
    for found in answered:
        assert found == expected[found[0]["versions"]["bundle"]]


def test_the_knowledge_base_changes_with_the_bundle(desk: Desk, registry: Registry) -> None:
    """Its passages are placed by the intents that the bundle sees in them."""
    with desk.database.transaction() as session:
        KnowledgeStore(session).upsert_articles([Article("a", "ru", "Забыли пароль", "Нажмите «Забыли пароль».")])
    desk.keeper.look_at_knowledge()
    before = desk.current()
    registry.promote("help@2", who=WHO)
    desk.keeper.look_at_registry()
    after = desk.current()
    assert after.knowledge is not before.knowledge
    assert after.knowledge.version == before.knowledge.version
    assert before.pipeline.bundle.reference == "help@1"
    assert after.pipeline.bundle.reference == "help@2"


class _SlowEncoder(LightEncoder):
    """Waits before it encodes passages, as a large import does."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self.waiting = threading.Event()

    def encode(self, texts: Sequence[str], kind: TextKind = TextKind.QUERY) -> Vectors:
        if kind is TextKind.PASSAGE and texts:
            self.waiting.set()
            assert self.go_on.wait(20)
        return super().encode(texts, kind)


def test_a_large_import_holds_up_no_promotion_and_neither_is_lost(registry: Registry) -> None:
    encoder = _SlowEncoder()
    with opened(registry.folder.parent, encoder) as desk:
        with desk.database.transaction() as session:
            KnowledgeStore(session).upsert_articles([Article("a", "th", "ลืมรหัสผ่าน", "กด “ลืมรหัสผ่าน” ที่หน้าเข้าสู่ระบบ")])
        importing = threading.Thread(target=desk.keeper.look_at_knowledge)
        importing.start()
        assert encoder.waiting.wait(20)
        registry.promote("help@2", who=WHO)
        desk.keeper.look_at_registry()
        assert (_bundle(desk), desk.current().knowledge.version) == ("help@2", "empty")
        encoder.go_on.set()
        importing.join()
        assert _bundle(desk) == "help@2"
        assert list(desk.current().knowledge.articles) == ["a"]


def _readyz(desk: Desk) -> str:
    checks: dict[str, str] = ok(client_of(desk).get("/readyz"))["checks"]
    return checks["bundle"]


def test_a_bundle_that_cannot_be_loaded_leaves_the_old_one_until_it_can(
    desk: Desk, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _triage(desk)
    assert _readyz(desk) == "help@1"
    registry.promote("help@2", who=WHO)
    weights = registry.find("help@2") / "weights.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:1000])
    desk.keeper.look_at_registry()
    assert _readyz(desk) == "help@1 (help@2 is promoted and cannot be loaded; the log says why)"
    assert _triage(desk) == before
    weights.write_bytes(whole)
    desk.keeper.look_at_registry()
    assert _bundle(desk) == "help@1", "it is not read again at every look"
    monkeypatch.setattr("serving.keeper.time.monotonic", lambda: time.perf_counter() + 1e9)
    desk.keeper.look_at_registry()
    assert _readyz(desk) == "help@2"


def test_a_rollback_of_what_could_not_be_loaded_makes_all_well(desk: Desk, registry: Registry) -> None:
    registry.promote("help@2", who=WHO)
    (registry.find("help@2") / "weights.safetensors").unlink()
    desk.keeper.look_at_registry()
    assert "help@2" in _readyz(desk)
    registry.rollback(who=WHO)
    desk.keeper.look_at_registry()
    assert _readyz(desk) == "help@1"


def test_a_bundle_of_another_encoder_never_serves(desk: Desk, registry: Registry, light_bundle: Bundle) -> None:
    other = {**light_bundle.encoder, "fingerprint": "0" * 16}
    registry.promote(registry.add(replace(light_bundle, name="иной", encoder=other)).reference, who=WHO)
    before = _triage(desk)
    desk.keeper.look_at_registry()
    assert "иной@1 is promoted and cannot be loaded" in _readyz(desk)
    assert _triage(desk) == before


def test_a_bundle_that_fails_on_a_message_never_serves(desk: Desk, registry: Registry, light_bundle: Bundle) -> None:
    intent = light_bundle.heads["intent"]
    narrow = replace(intent, dense=intent.dense[:, :-1])
    registry.promote(registry.add(replace(light_bundle, name="小", heads={"intent": narrow})).reference, who=WHO)
    before = _triage(desk)
    desk.keeper.look_at_registry()
    assert "小@1 is promoted and cannot be loaded" in _readyz(desk)
    assert _triage(desk) == before


def test_a_damaged_state_leaves_the_bundle_that_serves(
    desk: Desk, registry: Registry, light_encoder: LightEncoder, caplog: pytest.LogCaptureFixture
) -> None:
    whole = (registry.folder / STATE).read_bytes()
    before = _triage(desk)
    (registry.folder / STATE).write_bytes(whole[: len(whole) // 2])
    for _ in range(3):
        desk.keeper.look_at_registry()
    assert _readyz(desk) == "help@1 (the registry's state cannot be read)"
    assert sum("Restore it from a backup" in one.message for one in caplog.records) == 1
    assert _triage(desk) == before
    with pytest.raises(RegistryError, match="Restore it from a backup"), opened(desk.settings.data_dir, light_encoder):
        pass
    (registry.folder / STATE).write_bytes(whole)
    desk.keeper.look_at_registry()
    assert _readyz(desk) == "help@1"


def test_a_mode_does_not_wait_for_a_bundle_that_cannot_be_loaded(desk: Desk, registry: Registry) -> None:
    registry.promote("help@2", who=WHO)
    (registry.find("help@2") / "weights.safetensors").unlink()
    registry.set_mode("intent", TaskMode.OFF, who=WHO)
    desk.keeper.look_at_registry()
    assert {(found["intent"]["label"], found["versions"]["bundle"]) for found in _triage(desk)} == {("", "help@1")}


def test_a_pinned_desk_stays_at_its_bundle_and_follows_the_modes(
    registry: Registry, light_encoder: LightEncoder
) -> None:
    with opened(registry.folder.parent, light_encoder, bundle="help@1") as desk:
        registry.promote("help@2", who=WHO)
        registry.set_mode("urgency", TaskMode.AUTOFILL, who=WHO)
        desk.keeper.look_at_registry()
        assert _readyz(desk) == "help@1"
        found = _triage(desk)[0]
        assert (found["versions"]["bundle"], found["urgency"]["mode"]) == ("help@1", "autofill")


def test_a_promotion_between_the_look_at_the_state_and_at_the_bundle_is_not_missed(
    desk: Desk, registry: Registry, light_bundle: Bundle, light_encoder: LightEncoder
) -> None:
    seen = registry.state()
    registry.promote("help@2", who=WHO)
    pipeline = replace(desk.current().pipeline, bundle=replace(shifted(light_bundle), name="help", version=2))
    cache = desk.settings.data_dir / "kb"
    keeper = Keeper(registry, desk.database, pipeline, seen, follows=True, cache=cache)
    keeper.look_at_registry()
    assert keeper.current().pipeline.bundle.reference == "help@2"
    assert keeper.current().state == registry.state()


def test_live_is_what_serves_by_default() -> None:
    assert Settings().bundle == "live"
