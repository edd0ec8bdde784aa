"""An index on disk: one large file, named by its content, and the manifest that says which file counts.

The manifest is replaced in one rename, after everything that it names is on the disk: whoever dies before that leaves
the snapshot that was there.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from filelock import FileLock, Timeout

from kb.errors import SnapshotNotSaved, SnapshotUnusable
from models.files import replace_file, sha256

FORMAT = 1
MANIFEST, LOCK, SCRATCH = "manifest.json", ".lock", ".content.new"
PATIENCE = 300.0
"""Seconds to wait for another process that is saving to the same folder."""
_REMEDY = "It is built again from the database."

Sink = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a folder holds, compared with its record: the facts of the manifest and the file that they are about."""

    facts: Mapping[str, Any]
    content: Path


class _Recorder:
    """Writes to a file and keeps size and digest of what was to be written, not of what a bad disk made of it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._digest, self.size = file, hashlib.sha256(), 0

    def __call__(self, some: bytes) -> None:
        self._file.write(some)
        self._digest.update(some)
        self.size += len(some)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


def write(folder: Path, content: Callable[[Sink], None], facts: Mapping[str, Any]) -> None:
    """Replace the snapshot in `folder`; `content` is called once, with the function that takes its bytes in order.

    Raises:
        SnapshotNotSaved: no room, no right to write there, or another process that does not end; what was there stays.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / LOCK, timeout=PATIENCE):
            _write(folder, content, facts)
    except Timeout as error:
        raise SnapshotNotSaved(
            f"Another process has held {folder / LOCK} for {PATIENCE:.0f} s, and the index was not saved. "
            "Wait for that process, or end it; the index in memory goes on serving."
        ) from error
    except OSError as error:
        raise SnapshotNotSaved(
            f"{folder} cannot be written ({error.strerror or error}), and what was there stays as it was. "
            "Make room or mend its rights; the index in memory goes on serving."
        ) from error


def _write(folder: Path, content: Callable[[Sink], None], facts: Mapping[str, Any]) -> None:
    scratch, kept = folder / SCRATCH, _named(folder)
    path = None
    try:
        with scratch.open("wb") as file:
            recorder = _Recorder(file)
            content(recorder)
            file.flush()
            os.fsync(file.fileno())
        path = scratch.replace(folder / f"index-{recorder.sha256[:32]}.faiss")
        files = {path.name: {"size": recorder.size, "sha256": recorder.sha256}}
        manifest = {"format": FORMAT, **facts, "files": files}
        text = json.dumps({**manifest, "sha256": _digest(manifest)}, ensure_ascii=False, indent=1, sort_keys=True)
        replace_file(folder / MANIFEST, f"{text}\n".encode())
    except BaseException:
        scratch.unlink(missing_ok=True)
        if path is not None and path.name not in kept:
            path.unlink(missing_ok=True)
        raise
    # Whoever has the old file open or mapped keeps it; what a killed process left goes as well.
    for other in folder.glob("index-*.faiss"):
        if other != path:
            other.unlink(missing_ok=True)


def _named(folder: Path) -> frozenset[str]:
    """The files that the present manifest needs."""
    try:
        return frozenset(json.loads((folder / MANIFEST).read_text("utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()


def stamp(folder: Path) -> tuple[int, int] | None:
    """Another one whenever a snapshot was saved there; None where there is none."""
    try:
        found = (folder / MANIFEST).stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def read(folder: Path, about: Mapping[str, str]) -> Snapshot:
    """The snapshot in `folder`, after its size, its digest and all that it is `about` have been compared.

    Raises:
        SnapshotUnusable: none there, not whole, of another format, or about something else; it says which.
    """
    manifest = _manifest(folder)
    for key, wanted in sorted(about.items()):
        if (built_for := manifest["about"].get(key)) != wanted:
            raise SnapshotUnusable(f"{folder} was built for {key} {built_for!r}, and {wanted!r} is wanted. {_REMEDY}")
    [(name, record)] = manifest["files"].items()
    path, size, digest = folder / name, record["size"], record["sha256"]
    try:
        present = path.stat().st_size
        if present != size:
            raise SnapshotUnusable(f"{path} holds {present:,} of {size:,} bytes: it is not whole. {_REMEDY}")
        found = sha256(path)
    except OSError as error:
        raise SnapshotUnusable(f"{path} cannot be read ({error.strerror}). {_REMEDY}") from error
    if found != digest:
        raise SnapshotUnusable(f"{path} is damaged: sha256 should be {digest:.16}… and is {found:.16}…. {_REMEDY}")
    return Snapshot(manifest, path)


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SnapshotUnusable(f"No saved index at {folder}: it has no {MANIFEST}. {_REMEDY}") from error
    except OSError as error:
        raise SnapshotUnusable(f"{path} cannot be read ({error.strerror}). {_REMEDY}") from error
    except ValueError as error:
        raise SnapshotUnusable(f"{path} is damaged ({error}). {_REMEDY}") from error
    if not isinstance(manifest, dict):
        raise SnapshotUnusable(f"{path} holds no manifest: {manifest!r:.40}. {_REMEDY}")
    # Before the digest: what a later format puts into its manifest is not known here.
    if (made := manifest.get("format")) != FORMAT:
        raise SnapshotUnusable(f"{folder} has format {made!r}, and this version of Frontdesk reads {FORMAT}. {_REMEDY}")
    if manifest.pop("sha256", None) != _digest(manifest):
        raise SnapshotUnusable(f"{path} is damaged: its content does not match its own sha256. {_REMEDY}")
    return manifest


def _digest(manifest: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
