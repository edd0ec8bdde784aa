"""A real server, asked without a pause while real processes promote, roll back and are killed at it."""

import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from models.bundle import MANIFEST
from models.files import RECORD, whole_folder
from models.registry import STARTER, Registry
from tests.conftest import ROOT
from tests.e2e.server import Server

TEXTS = {
    "vi": "Mình đặt áo màu đen mà shop giao màu trắng, đổi giúp mình với",
    "th": "โอนเงินไปแล้วสองวัน ออเดอร์ยังขึ้นว่ารอชำระอยู่เลยค่ะ",
    "zh-Hans": "快递显示已签收，可是我没有收到包裹",
    "zh-Hant": "退款申請送出兩週了，請問什麼時候會入帳？",
    "ru": "Посылка пришла вскрытой, внутри не хватает одной пары носков",
    "en": "I was charged twice for the same order, please give one back",
}
FOR_EVER = """
import sys
from itertools import cycle
from pathlib import Path
from models.registry import Registry
print(flush=True)
for reference in cycle(("shop@1", "starter")):
    Registry(Path(sys.argv[1])).promote(reference, who="Лена")
"""
SECONDS = 20
"""For what is promised within 2 s, on machines that are busy with other tests."""


@pytest.fixture
def registry(server: Server) -> Iterator[Registry]:
    """The server's, with shop@1 in it: the shipped bundle without urgency, so that each response shows whose it is."""
    registry = Registry(server.settings.data_dir / "bundles")
    manifest = json.loads((STARTER / MANIFEST).read_text(encoding="utf-8"))
    del manifest["tasks"]["urgency"]
    with whole_folder(registry.folder / "shop" / "1") as scratch:
        shutil.copytree(STARTER, scratch, ignore=shutil.ignore_patterns(RECORD), dirs_exist_ok=True)
        (scratch / MANIFEST).write_text(json.dumps({**manifest, "name": "shop", "version": 1}), encoding="utf-8")
    yield registry
    registry.promote("starter", who="Лена")
    _wait(lambda: _serving(server) == "starter@1")


def _triage(server: Server, language: str) -> dict[str, Any]:
    found = server.post("/v1/triage", text=TEXTS[language])
    assert (found["versions"]["bundle"] == "shop@1") == (found["urgency"]["label"] == "")
    return {name: value for name, value in found.items() if name != "id"}


def _serving(server: Server) -> str:
    checks: dict[str, str] = server.get("/readyz")["checks"]
    return checks["bundle"]


def _wait(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _frontdesk(server: Server, *arguments: str) -> str:
    folders = {"DATA_DIR": server.settings.data_dir, "CACHE_DIR": server.settings.cache_dir}
    environment = os.environ | {f"FRONTDESK_{name}": str(path) for name, path in folders.items()}
    command = [sys.executable, "-m", "serving.cli", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _killed_promoter(folder: Path, seconds: float) -> None:
    command = [sys.executable, "-c", FOR_EVER, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as promoter:
        assert promoter.stdout is not None
        promoter.stdout.readline()
        time.sleep(seconds)
        promoter.kill()


def test_promotions_rollbacks_and_killed_promoters_fail_no_request(server: Server, registry: Registry) -> None:
    before = {language: _triage(server, language) for language in TEXTS}
    stop, dice = threading.Event(), random.Random(13)

    def ask() -> set[str]:
        seen = set()
        while not stop.is_set():
            for language in TEXTS:
                found = _triage(server, language)
                answered = server.post("/v1/answers", question=TEXTS[language])
                seen |= {found["versions"]["bundle"], answered["versions"]["bundle"]}
        return seen

    with ThreadPoolExecutor(3) as pool:
        asking = [pool.submit(ask) for _ in range(3)]
        try:
            assert _frontdesk(server, "models", "promote", "shop@1") == "shop@1 is live instead of starter\n"
            _wait(lambda: _serving(server) == "shop@1")
            assert _frontdesk(server, "models", "rollback") == "starter is live again, instead of shop@1\n"
            _wait(lambda: _serving(server) == "starter@1")
            assert {language: _triage(server, language) for language in TEXTS} == before
            for _ in range(4):
                _killed_promoter(registry.folder, dice.uniform(0.02, 0.5))
                live = registry.state().live
                _wait(lambda live=live: _serving(server).split("@")[0] == live.split("@")[0])  # type: ignore[misc]
        finally:
            stop.set()
        seen = set().union(*(future.result() for future in asking))
    assert seen == {"starter@1", "shop@1"}
