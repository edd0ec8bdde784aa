"""The files under what a person names: single ones, those of a folder, those of a zip archive."""

import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from kb.errors import NothingToImport

KINDS = ".md, .html, .csv, .jsonl, .jsonl.gz, .json, .yaml, .txt and .zip files"
MAX_FILE = 64 * 2**20
"""Bytes of a file that is read whole. Lists of rows, a row a line, may be longer."""
MAX_ARCHIVE = 2**30
"""Bytes of all files of an archive together, unpacked."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """
    Attributes:
        place: what messages call it.
        name: its path below the folder or archive that was named; a file that was named itself is its name.
        size: in bytes.
    """

    place: str
    name: PurePosixPath
    size: int
    open: Callable[[], IO[bytes]]

    @property
    def suffix(self) -> str:
        return self.name.suffix.lower()

    def whole(self) -> bytes:
        """
        Raises:
            ValueError: when the file is larger than `MAX_FILE`.
        """
        with self.open() as file:
            content = file.read(MAX_FILE + 1)
        if len(content) > MAX_FILE:
            raise ValueError(
                f"has {self.size / 2**20:,.0f} MB; the limit is {MAX_FILE / 2**20:,.0f} MB. Split it, or write rows "
                "as JSONL, which may be longer."
            )
        return content

    def text(self) -> str:
        """
        Raises:
            ValueError: when the file is too large or not UTF-8.
        """
        return decoded(self.whole())


def decoded(content: bytes) -> str:
    """
    Raises:
        ValueError: for another encoding than UTF-8; the place of the first byte that shows it is named.
    """
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"is not UTF-8 (byte {error.start + 1:,} is 0x{content[error.start]:02x}). Save it as UTF-8."
        ) from error


def files_under(paths: Sequence[Path], known: Callable[[str], bool], problems: list[str]) -> Iterator[SourceFile]:
    """Every file whose suffix is `known`, in the order of names.

    Args:
        problems: what cannot be read is added here; a file of another suffix too, where it was named itself.

    Raises:
        NothingToImport: for a path that is missing.
    """
    for path in paths:
        if not path.exists():
            raise NothingToImport(f"{path} does not exist. Name a folder of articles, or a file: {KINDS} are read.")
        inside = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        for file in inside:
            if file.suffix.lower() == ".zip":
                yield from _unpacked(file, known, problems)
            elif known(file.suffix.lower()):
                name = PurePosixPath(file.name if file == path else file.relative_to(path).as_posix())
                yield SourceFile(str(file), name, file.stat().st_size, partial(_opened, file))
            elif file == path:
                problems.append(f"{file}: is of no kind that is read; {KINDS} are.")


def _opened(path: Path) -> IO[bytes]:
    return path.open("rb")


def _unpacked(path: Path, known: Callable[[str], bool], problems: list[str]) -> Iterator[SourceFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = sorted((m for m in archive.infolist() if not m.is_dir()), key=lambda m: m.filename)
            total = sum(member.file_size for member in members)
            if total > MAX_ARCHIVE:
                limit = f"the limit is {MAX_ARCHIVE / 2**20:,.0f} MB"
                problems.append(f"{path}: holds {total / 2**20:,.0f} MB unpacked; {limit}. Split it.")
                return
            for member in members:
                name = PurePosixPath(member.filename)
                # What macOS packs beside each file is no file of the person's.
                if known(name.suffix.lower()) and "__MACOSX" not in name.parts and not name.name.startswith("."):
                    place = f"{path}/{member.filename}"
                    yield SourceFile(place, name, member.file_size, partial(archive.open, member))
    except (zipfile.BadZipFile, OSError) as error:
        problems.append(f"{path}: is no whole zip archive ({error}). Pack or download it again.")
