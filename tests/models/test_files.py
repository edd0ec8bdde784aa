"""Folders that are whole or absent: killed builders, rival builders, single flipped bytes."""

import multiprocessing
import os
import signal
import threading
from pathlib import Path

import pytest

from models.errors import DamagedFile
from models.files import RECORD, sha256, verified_record, whole_folder

TEXTS = {
    "vi.txt": "Đơn hàng của em đâu rồi shop?",
    "th.txt": "ของยังไม่ถึงเลยค่ะ",
    "zh/hans.txt": "我的包裹还没到",
    "zh/hant.txt": "我的包裹還沒到",
    "ru.txt": "Где мой заказ?",
    "en.txt": "Where is my parcel?",
}


def _write(folder: Path) -> None:
    for name, text in TEXTS.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def _flipped(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    target = tmp_path / "cache" / "encoder"
    with whole_folder(target) as scratch:
        _write(scratch)
    return target


def test_the_record_names_every_file_with_its_digest(whole: Path) -> None:
    assert verified_record(whole) == {name: sha256(whole / name) for name in TEXTS}
    assert [path.name for path in whole.parent.iterdir()] == ["encoder"]


def test_other_users_can_read_it_as_they_can_any_new_folder(whole: Path) -> None:
    assert whole.stat().st_mode == whole.parent.stat().st_mode


def test_a_failed_builder_leaves_nothing(tmp_path: Path) -> None:
    def build() -> None:
        with whole_folder(tmp_path / "encoder") as scratch:
            _write(scratch)
            raise OSError("đĩa đầy")

    with pytest.raises(OSError, match="đĩa đầy"):
        build()
    assert not list(tmp_path.iterdir())


def _killed_half_way(target: Path) -> None:
    with whole_folder(target) as scratch:
        _write(scratch)
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_builder_leaves_nothing_that_is_read(tmp_path: Path) -> None:
    target = tmp_path / "encoder"
    process = multiprocessing.get_context("spawn").Process(target=_killed_half_way, args=(target,))
    process.start()
    process.join(30)
    assert process.exitcode == -signal.SIGKILL
    assert not target.exists()
    assert all(path.name.startswith(".") for path in tmp_path.iterdir())
    assert not list(tmp_path.rglob(RECORD))
    with whole_folder(target) as scratch:
        _write(scratch)
    assert verified_record(target).keys() == TEXTS.keys()


def test_of_two_builders_the_first_to_finish_wins(tmp_path: Path) -> None:
    target = tmp_path / "encoder"
    both_have_begun = threading.Barrier(2, timeout=10)
    errors: list[BaseException] = []

    def build(author: str) -> None:
        try:
            with whole_folder(target) as scratch:
                (scratch / "author").write_text(author)
                (scratch / author).touch()
                both_have_begun.wait()
        except BaseException as error:
            errors.append(error)

    builders = [threading.Thread(target=build, args=(author,)) for author in ("สมชาย", "小美")]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join()
    assert not errors
    assert [path.name for path in tmp_path.iterdir()] == ["encoder"]
    author = (target / "author").read_text()
    assert verified_record(target).keys() == {"author", author}


def test_a_folder_that_is_in_the_way_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "encoder"
    target.mkdir()
    (target / "notes.txt").write_text("моё")

    def build() -> None:
        with whole_folder(target) as scratch:
            _write(scratch)

    with pytest.raises(OSError, match="not empty"):
        build()
    assert [path.name for path in target.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("name", TEXTS)
def test_a_flipped_byte_is_named_with_the_next_step(whole: Path, name: str) -> None:
    _flipped(whole / name, 3)
    with pytest.raises(DamagedFile) as refused:
        verified_record(whole)
    assert str(whole / name) in str(refused.value)
    assert "Delete that folder; the next start builds it again." in str(refused.value)


def test_no_byte_of_the_record_can_flip_unseen(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "encoder") as scratch:
        (scratch / "vi.txt").write_text(TEXTS["vi.txt"])
    record = (tmp_path / "encoder" / RECORD).read_bytes()
    for at in range(len(record)):
        _flipped(tmp_path / "encoder" / RECORD, at)
        with pytest.raises(DamagedFile, match=r"Restore it\."):
            verified_record(tmp_path / "encoder", "Restore it.")
        (tmp_path / "encoder" / RECORD).write_bytes(record)


@pytest.mark.parametrize("record", [None, b"", b"null", b"[]", b'{"vi.txt": 7}', b'{"../../secret": "0"}', b"\xff"])
def test_a_lost_or_nonsensical_record_is_damage(whole: Path, record: bytes | None) -> None:
    (whole / RECORD).unlink()
    if record is not None:
        (whole / RECORD).write_bytes(record)
    with pytest.raises(DamagedFile, match="Delete that folder"):
        verified_record(whole)


def test_a_lost_file_is_damage(whole: Path) -> None:
    (whole / "ru.txt").unlink()
    with pytest.raises(DamagedFile, match=r"ru\.txt is damaged: .* is no file"):
        verified_record(whole)
