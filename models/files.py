"""Folders and files that are either whole or absent, and files that are known by their content."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import DamagedFile

RECORD = "integrity.json"


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Yield a scratch folder that becomes `target` in one rename once its files are written and recorded.

    A process that dies half-way leaves only a scratch folder, which is never read. When two processes build
    the same folder, the first rename wins and the other's work is dropped.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    outer = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        # mkdtemp's own folder is closed to other users, and a cache or a bundle may serve several.
        scratch = outer / target.name
        scratch.mkdir()
        yield scratch
        names = sorted(p.relative_to(scratch).as_posix() for p in scratch.rglob("*") if p.is_file())
        record = {name: sha256(scratch / name) for name in names}
        (scratch / RECORD).write_text(json.dumps(record, indent=1) + "\n")
        for name in [*names, RECORD]:
            with (scratch / name).open("rb") as file:
                os.fsync(file.fileno())
        try:
            scratch.rename(target)
        except OSError:
            if not (target / RECORD).is_file():
                raise
    finally:
        shutil.rmtree(outer, ignore_errors=True)


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` in the place of a file in one rename; on an error, or death at any point, the old file stays.

    For one writer at a time: the scratch file beside it has a fixed name, so that what a death leaves is used again.
    """
    scratch = path.with_name(f".{path.name}.new")
    try:
        with scratch.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except OSError:
        scratch.unlink(missing_ok=True)
        raise
    # The rename itself is in the folder, which a power cut would otherwise lose.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def verified_record(
    folder: Path, remedy: str = "Delete that folder; the next start builds it again."
) -> dict[str, str]:
    """The sha256 of each file of a `whole_folder`, after comparing every one of them with the disk.

    Args:
        remedy: the next step that the error names.

    Raises:
        DamagedFile: when a file is missing or its content differs from the record.
    """
    try:
        record = json.loads((folder / RECORD).read_text())
    except (OSError, ValueError) as error:
        raise DamagedFile(f"{folder / RECORD} cannot be read ({error}). {remedy}") from error
    if not isinstance(record, dict):
        raise DamagedFile(f"{folder / RECORD} holds no record: {record!r:.40}. {remedy}")
    for name, expected in record.items():
        path = folder / name
        found = sha256(path) if path.is_file() else "no file"
        if found != expected:
            raise DamagedFile(f"{path} is damaged: sha256 should be {expected!s:.16}… and is {found[:16]}…. {remedy}")
    return dict(record)
