"""A server of a process of its own, to be asked, killed and started again."""

import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from serving.settings import Settings

ROOT = Path(__file__).parents[2]
PATIENCE = 300.0
"""Seconds for a start, which takes six on a quiet machine once the help centre's vectors are there."""


class Server:
    """One `frontdesk serve` at a time on one data folder."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.settings = Settings(data_dir=folder / "desk", cache_dir=cache)
        self.log = folder / "server.log"
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._client = httpx2.Client(timeout=60)

    def start(self) -> None:
        already = self.log.stat().st_size if self.log.exists() else 0
        with pytest.MonkeyPatch.context() as environment, self.log.open("ab") as log:
            for name in Settings.model_fields:
                environment.delenv(f"FRONTDESK_{name.upper()}", raising=False)
            environment.setenv("FRONTDESK_DATA_DIR", str(self.settings.data_dir))
            environment.setenv("FRONTDESK_CACHE_DIR", str(self.settings.cache_dir))
            command = [sys.executable, "-m", "serving.cli", "serve", "--port", "0"]
            self._process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            told = self.log.read_bytes()[already:].decode()
            if found := re.search(r"serving on (http://127\.0\.0\.1:(\d+))", told):
                self._client.base_url, self.port = httpx2.URL(found[1]), int(found[2])
                break
            time.sleep(0.1)
        while time.monotonic() < deadline and self._process.poll() is None:
            if self.get("/readyz")["status"] == "ok":
                return
        pytest.fail(f"The server did not start:\n{self.log.read_text(encoding='utf-8')[-4000:]}")

    def kill(self) -> None:
        """SIGKILL: the process gets no chance to tidy up."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        self.kill()
        self._client.close()

    def get(self, path: str) -> dict[str, Any]:
        return self._body(self._client.get(path))

    def post(self, path: str, **fields: object) -> dict[str, Any]:
        return self._body(self._client.post(path, json=fields))

    def _body(self, response: httpx2.Response) -> dict[str, Any]:
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body
