"""The command line: what it prints, what it leaves behind, its exit status, and what it says when something is wrong."""

import gzip
import json
import shutil
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from click import Command, Group

from kb.store import KnowledgeStore
from models.light import LightEncoder
from serving.cli import app, main
from serving.desk import open_desk_database
from serving.settings import Settings
from serving.storage.keys import ApiKeyRepository
from serving.storage.tables import METADATA
from tests.serving.wire import PASSWORD, WRONG_SIZE

LANGUAGES = sorted(PASSWORD)
BODIES = {
    "en": "Open the sign-in page, choose “Forgot password” and follow the link in the mail.",
    "vi": "Mở trang đăng nhập, bấm “Quên mật khẩu” rồi làm theo đường dẫn trong email.",
    "th": "เปิดหน้าเข้าสู่ระบบ กด “ลืมรหัสผ่าน” แล้วทำตามลิงก์ในอีเมล",
    "zh-Hans": "打开登录页，点“忘记密码”，再按邮件里的链接操作。",
    "zh-Hant": "打開登入頁，點「忘記密碼」，再按郵件裡的連結操作。",
    "ru": "На странице входа нажмите «Забыли пароль» и перейдите по ссылке из письма.",
}


@dataclass(frozen=True, slots=True)
class Finished:
    status: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Finished]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "desk"


@pytest.fixture
def frontdesk(
    data: Path,
    light_encoder: LightEncoder,
    light_bundle_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Run a command as a terminal would, on a data folder of the test's own and without weights."""
    monkeypatch.setenv("FRONTDESK_DATA_DIR", str(data))
    monkeypatch.setenv("FRONTDESK_BUNDLE", str(light_bundle_folder))
    monkeypatch.setattr("serving.desk.open_encoder", lambda _settings: light_encoder)
    monkeypatch.setattr("serving.cli.train.load_encoder", lambda _config: light_encoder)
    monkeypatch.setattr("serving.cli.serve.configure_logging", lambda _level: None)
    monkeypatch.setattr("kb.answer.THRESHOLD", 0.0)

    def run(*arguments: object) -> Finished:
        monkeypatch.setattr(sys, "argv", ["frontdesk", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Finished(int(ended.value.code or 0), captured.out, captured.err)

    return run


def _failed(finished: Finished, *named: object) -> None:
    """It ended with status 1, printed no result and said what is wrong."""
    assert (finished.status, finished.out) == (1, "")
    assert finished.err.startswith("frontdesk: ")
    assert [str(part) for part in named if str(part) not in finished.err] == []


def _article(folder: Path, language: str = "en", **front: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    about = {"id": f"password-{language}", "title": PASSWORD[language], "language": language, **front}
    head = "\n".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in about.items())
    path = folder / f"{about['id']}.md"
    path.write_text(f"---\n{head}\n---\n{BODIES[language]}\n", encoding="utf-8")
    return path


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    for language in LANGUAGES:
        more = {} if language == "en" else {"translation_of": "password-en"}
        _article(folder, language, **more)
    return folder


def _count(data: Path, table: str) -> int:
    database = open_desk_database(Settings(data_dir=data))
    with database.transaction(read_only=True) as session:
        found = next(metadata.tables[table] for metadata in METADATA if table in metadata.tables)
        count = session.query(found).count()
    database.close()
    return count


def _commands(command: Command, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Command]]:
    found = [(path, command)]
    for name, inner in command.commands.items() if isinstance(command, Group) else ():
        found += _commands(inner, (*path, name))
    return found


COMMANDS = _commands(typer.main.get_command(app))


class TestHelp:
    @pytest.mark.parametrize("path", [path for path, _ in COMMANDS], ids=" ".join)
    def test_every_command_explains_itself_and_its_options(self, frontdesk: Run, path: tuple[str, ...]) -> None:
        command = dict(COMMANDS)[path]
        assert command.help
        shown = frontdesk(*path, "--help")
        assert shown.status == 0
        for parameter in command.params:
            assert getattr(parameter, "help", None), parameter.name

    def test_the_commands_of_the_architecture_are_there(self) -> None:
        names = {" ".join(path) for path, _ in COMMANDS}
        assert names >= {"serve", "triage", "answer", "train", "doctor", "keys create", "keys list", "keys revoke"}
        assert names >= {"kb import", "kb search", "kb list", "kb delete"}
