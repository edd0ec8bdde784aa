"""What the README shows is what a new user gets: its commands run, and print what stands behind them."""

import json
import re
import subprocess
from typing import Any

import pytest

from docs.record_examples import CURL, README, run_curl
from tests.conftest import ROOT
from tests.e2e.server import Server

TEXT = README.read_text(encoding="utf-8")


@pytest.mark.parametrize("block", list(CURL.finditer(TEXT)), ids=["triage-th", "answer-ru", "suggestion-vi"])
def test_curl_commands_print_what_is_shown(server: Server, block: re.Match[str]) -> None:
    printed = run_curl(block[1], server.port)
    assert _stable(printed) == _approximately(_stable(json.loads(block[2])))


@pytest.mark.parametrize("command", re.findall(r"```sh\n(make \w+)\n```", TEXT))
def test_make_commands_exist(command: str) -> None:
    # Run for real they would set up an environment within the one that runs this; CI does that from a fresh clone.
    done = subprocess.run([*command.split(), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _stable(value: Any) -> Any:
    """Without ids that are new each time, reasons that quote scores, and the order of nearly equal scores."""
    if isinstance(value, list):
        if value and isinstance(value[0], dict) and "score" in value[0] and len(value[0]) in (2, 4):
            names = ("label", "channel", "article_id")
            return {next(entry[n] for n in names if n in entry): entry["score"] for entry in value}
        return [_stable(entry) for entry in value]
    if isinstance(value, dict):
        return {key: _stable(entry) for key, entry in value.items() if key not in ("id", "reasons")}
    return value


def _approximately(value: Any) -> Any:
    """The same with tolerant numbers: a CPU with bfloat16 scores a little differently."""
    if isinstance(value, dict):
        return {key: _approximately(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_approximately(entry) for entry in value]
    return pytest.approx(value, abs=0.08) if isinstance(value, float) else value
