"""Rows of JSONL, CSV and Parquet files as they stand there, each with its number; gzip where a name ends in .gz."""

import codecs
import csv
import gzip
import json
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TextIO, cast

from training.errors import BadTrainingData

MAX_CELL = 10_000_000
"""Characters of one CSV cell; a longer one is what follows a quotation mark that was never closed."""

_CONVERT = (
    "Convert it, for example with iconv -f ENCODING -t UTF-8; older programs write windows-1258 for Vietnamese, "
    "TIS-620 for Thai, GB18030 or Big5 for Chinese, windows-1251 for Russian, windows-1252 for English"
)
# Longest first: the mark of UTF-32 begins with that of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_BATCH = 1024


class Format(StrEnum):
    JSONL = ".jsonl"
    CSV = ".csv"
    PARQUET = ".parquet"


class Row(NamedTuple):
    """
    Attributes:
        number: the line it begins on, or its number in a Parquet file; the first is 1.
        problem: why it has no cells.
    """

    number: int
    cells: dict[str, Any]
    problem: str = ""


def format_of(path: Path) -> Format:
    """
    Raises:
        BadTrainingData: when the name ends otherwise.
    """
    zipped = path.suffix == ".gz"
    kind = Path(path.stem).suffix if zipped else path.suffix
    if kind not in set(Format) or (zipped and kind == Format.PARQUET):
        raise BadTrainingData(f"{path} is neither .jsonl nor .csv (either may end in .gz) nor .parquet.")
    return Format(kind)


def read_rows(path: Path, wanted: Collection[str]) -> Iterator[Row]:
    """The rows in their order, as they are asked for; a Parquet file has None in columns that are not `wanted`.

    Raises:
        BadTrainingData: when the file is missing, damaged, cut off or not UTF-8, at the row where that shows.
    """
    kind = format_of(path)
    if kind is Format.PARQUET:
        yield from _parquet(path, wanted)
        return
    try:
        yield from _text(path, kind)
    except csv.Error as error:
        remedy = "Look for a quotation mark that is opened and never closed"
        raise BadTrainingData(f"{path} cannot be read: {error}. {remedy}.") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        remedy = "It is damaged or was cut off on its way (gzip -t tells); export or copy it again"
        raise BadTrainingData(f"{path} cannot be read: {error}. {remedy}.") from error
    except OSError as error:
        raise BadTrainingData(f"{path} cannot be read: {error}.") from error


def _text(path: Path, kind: Format) -> Iterator[Row]:
    _require_no_mark(path)
    # Spreadsheets put a byte order mark before the first column; line breaks inside quotes are csv's own matter.
    how: dict[str, Any] = {"mode": "rt", "encoding": "utf-8-sig", "newline": "" if kind is Format.CSV else None}
    try:
        with gzip.open(path, **how) if path.suffix == ".gz" else path.open(**how) as file:
            yield from _csv(path, file) if kind is Format.CSV else _jsonl(file)
    except UnicodeDecodeError as error:
        where = _first_bad_byte(path)
        raise BadTrainingData(f"{path} cannot be read: it is not UTF-8, {where}. {_CONVERT}.") from error


def _jsonl(file: TextIO) -> Iterator[Row]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            cells = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield Row(number, {}, f"is not JSON ({error})")
            continue
        if isinstance(cells, dict):
            yield Row(number, cells)
        else:
            yield Row(number, {}, f"should be an object, and is {cells!r:.40}")


def _csv(path: Path, file: TextIO) -> Iterator[Row]:
    first = file.readline()
    # Spreadsheets write semicolons where the comma is the decimal sign, as in Vietnam and Russia.
    delimiter = max(",;\t", key=first.count)
    lines = _Lines(chain([first], file))
    reader = csv.reader(lines, delimiter=delimiter)
    # The limit belongs to the whole process, and the usual one would refuse a file for one long text in it.
    usual = csv.field_size_limit(MAX_CELL)
    try:
        header = [name.strip() for name in next(reader, [])]
        _require_different_names(path, header)
        lines.since.clear()
        for cells in reader:
            number, problem = reader.line_num - len(lines.since) + 1, _csv_problem(cells, header, lines.since)
            lines.since.clear()
            if cells:
                yield Row(number, {} if problem else dict(zip(header, cells, strict=False)), problem)
    finally:
        csv.field_size_limit(usual)


class _Lines:
    """Lines on their way into the reader; `since` holds those of the record that it is at."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.since: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.since.append(line)
        return line


def _csv_problem(cells: Sequence[str], header: Sequence[str], lines: Sequence[str]) -> str:
    if len(lines) > 1 and sum(line.count('"') for line in lines) % 2:
        return f"runs over {len(lines):,} lines: a quotation mark in them is not closed"
    if any(cells[len(header) :]):
        return f"has {len(cells)} cells under {len(header)} columns: a text with a separator in it must be in quotes"
    return ""


def _parquet(path: Path, wanted: Collection[str]) -> Iterator[Row]:
    # Here and not above: it takes longer to import than most commands run.
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path, page_checksum_verification=True) as file:
            names = file.schema_arrow.names
            _require_different_names(path, names)
            others = dict.fromkeys(names)
            batches = file.iter_batches(_BATCH, columns=[name for name in names if name in wanted])
            cells = chain.from_iterable(batch.to_pylist() for batch in batches)
            number = 0
            for number, known in enumerate(cells, 1):
                yield Row(number, others | known)
            # The footer has no checksum, and says in two places how many rows there are.
            if number != file.metadata.num_rows:
                raise ValueError(f"it has {number:,} rows and says {file.metadata.num_rows:,}")
    except FileNotFoundError as error:
        raise BadTrainingData(f"{path} cannot be read: {error}.") from error
    # ValueError: text that is not UTF-8.
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        remedy = "It is no Parquet, or damaged or cut off on its way; export or copy it again"
        raise BadTrainingData(f"{path} cannot be read: {' '.join(str(error).split())}. {remedy}.") from error


def _require_different_names(path: Path, names: Sequence[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        raise BadTrainingData(f"{path} cannot be read: it has several columns {twice[0]!r}. Give each its own name.")


def _require_no_mark(path: Path) -> None:
    with _binary(path) as file:
        start = file.read(4)
    encoding = next((name for mark, name in _MARKS.items() if start.startswith(mark)), None)
    if encoding is None and b"\0" in start:
        encoding = "UTF-16"
    if encoding:
        raise BadTrainingData(
            f"{path} cannot be read: it looks like {encoding}, and UTF-8 is needed. "
            f"Convert it, for example with iconv -f {encoding} -t UTF-8."
        )


def _first_bad_byte(path: Path) -> str:
    where, offset = "", 0
    with _binary(path) as file:
        # To the end, where a damaged archive shows itself as such.
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                where = where or f"byte 0x{line[error.start]:02X} at offset {offset + error.start:,} in line {number:,}"
            offset += len(line)
    return where


def _binary(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path)) if path.suffix == ".gz" else path.open("rb")
