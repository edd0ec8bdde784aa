"""What tests of the command line share: how a command ended, and help-centre files to feed it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.serving.wire import PASSWORD

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


def assert_failed(finished: Finished, *named: object) -> None:
    """It ended with status 1, printed no result, and said what is wrong in the user's terms."""
    assert (finished.status, finished.out) == (1, "")
    assert finished.err.startswith("frontdesk: ")
    assert "Traceback" not in finished.err
    assert [str(part) for part in named if str(part) not in finished.err] == []


def write_article(folder: Path, language: str = "en", **front: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    about = {"id": f"password-{language}", "title": PASSWORD[language], "language": language, **front}
    if language != "en":
        about.setdefault("translation_of", "password-en")
    head = "\n".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in about.items())
    path = folder / f"{about['id']}.md"
    path.write_text(f"---\n{head}\n---\n{BODIES[language]}\n", encoding="utf-8")
    return path


def write_articles(folder: Path) -> Path:
    """One public article in six languages."""
    for language in BODIES:
        write_article(folder, language)
    return folder
