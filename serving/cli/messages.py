"""Messages from files, one a line or row; what cannot be read is kept with its line number."""

import csv
import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from models.languages import canonical_language
from serving.errors import BadSettings
from serving.schemas import MAX_TEXT
from triage.pipeline import Message


@dataclass(frozen=True, slots=True)
class InputLine:
    """One line: a message under its own id, or else under its line number; or the problem with it."""

    number: int
    id: str
    message: Message | None
    problem: str | None


def read_messages(path: Path, *, channel: str | None, channels: tuple[str, ...]) -> Iterator[InputLine]:
    """Messages of a `.jsonl`, `.csv` or `.txt` file, each also gzipped; `channel` is for rows that name none.

    Raises:
        BadSettings: when the file itself cannot be read.
    """
    kind = path.suffixes[-2] if path.suffix == ".gz" and len(path.suffixes) > 1 else path.suffix
    readers = {".jsonl": _jsonl, ".csv": _csv, ".txt": _lines}
    if kind not in readers:
        raise BadSettings(f"{path} is neither .jsonl, .csv nor .txt (each may end in .gz).")
    try:
        with _opened(path) as file:
            for number, row in readers[kind](file):
                yield _input_line(number, row, channel, channels)
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        raise BadSettings(f"{path} cannot be read: {error}.") from error


def _opened(path: Path) -> TextIO:
    """Bytes that are not UTF-8 come through as surrogates, so that one bad line does not end the file."""
    # Excel begins a CSV file with a byte order mark.
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="surrogateescape")
    return path.open(encoding="utf-8-sig", errors="surrogateescape")


def checked_message(text: str, *, channel: str | None, language: str | None, channels: tuple[str, ...]) -> Message:
    """A message from the command line itself, held to what a line of a file is held to.

    Raises:
        BadSettings: naming what is wrong with it.
    """
    one = _input_line(1, {"text": text, "language": language}, channel, channels)
    if one.message is None:
        raise BadSettings(f"This text cannot be read: {one.problem}.")
    return one.message


def _input_line(number: int, row: Any, channel: str | None, channels: tuple[str, ...]) -> InputLine:
    if isinstance(row, str):
        return InputLine(number, str(number), None, row)
    identity = str(row.get("id") or number)
    came_from = row.get("channel") or channel
    problem = text_problem(row.get("text"))
    if problem is None and came_from is not None and came_from not in channels:
        problem = f"unknown channel {came_from!r}; the policy has {', '.join(channels)}"
    language = None
    try:
        language = canonical_language(str(row["language"])) if row.get("language") else None
    except ValueError as error:
        problem = problem or str(error)
    if problem is not None:
        return InputLine(number, identity, None, problem)
    return InputLine(number, identity, Message(row["text"], came_from, language), None)


def text_problem(text: Any) -> str | None:
    """Why this is no text that a customer can have written; None when it is one."""
    if text is None:
        return "has no text"
    if not isinstance(text, str):
        return f"text should be a string, and is {type(text).__name__}"
    if not text.strip():
        return "text is blank"
    if len(text) > MAX_TEXT:
        return f"text has {len(text):,} characters; the limit is {MAX_TEXT:,}"
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        return "text is not Unicode: it holds bytes that are not UTF-8, or lone surrogates"
    if "\0" in text:
        return "text holds a NUL character; it is binary data"
    return None


def _jsonl(file: TextIO) -> Iterator[tuple[int, Any]]:
    for number, raw in enumerate(file, 1):
        if not raw.strip():
            continue
        try:
            row = json.loads(raw)
        except (ValueError, RecursionError) as error:
            yield number, f"is not JSON ({error})"
        else:
            yield number, row if isinstance(row, dict) else f"should be an object, and is {type(row).__name__}"


def _csv(file: TextIO) -> Iterator[tuple[int, Any]]:
    reader = csv.DictReader(file)
    for row in reader:
        yield reader.line_num, row


def _lines(file: TextIO) -> Iterator[tuple[int, Any]]:
    for number, raw in enumerate(file, 1):
        if raw.strip():
            yield number, {"text": raw.rstrip("\r\n")}
