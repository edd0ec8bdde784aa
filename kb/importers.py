"""Articles and macros from files: Markdown, HTML, lists of questions and answers, macros, exports of help centres."""

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast
from zipfile import BadZipFile

import yaml
from bs4 import BeautifulSoup
from yaml import YAMLError

from kb import help_centre
from kb.errors import BadArticle, NothingToImport
from kb.files import KINDS, SourceFile, decoded, files_under
from kb.markup import from_html
from kb.rows import MAX_BODY, Row, article, macro
from kb.translations import circles
from kb.types import Article, Macro
from models.languages import canonical_language

_FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)\n---\s*(?:\n|\Z)(.*)\Z", re.DOTALL)
# Codes of three letters too are words: app, faq, ios.
_LANGUAGE_FOLDER = re.compile(r"[a-z]{2}(?:[-_][A-Za-z]{2,4})?\Z")
_LISTS = ("tags", "intents")
_METAS = ("id", "audience", "translation_of", "section", "valid_from", "valid_until", "draft", "updated_at")

Found = Iterator[tuple[str, Any]]
"""Where a row stands, and the row; or a ValueError with what is wrong there."""


@dataclass(frozen=True, slots=True)
class Imported:
    """`problems` has a line for each article or macro that is left out, with its place."""

    articles: tuple[Article, ...]
    macros: tuple[Macro, ...]
    problems: tuple[str, ...] = ()


def read(paths: Sequence[Path], *, language: str | None = None, keep_going: bool = False) -> Imported:
    """Read every article and macro under `paths` (folders and archives are walked), or nothing at all.

    Args:
        language: of those that do not say theirs.
        keep_going: leave out what is bad, and name it in the result.

    Raises:
        NothingToImport: for a path that is missing, or when no file under the paths is an article or macro.
        BadArticle: with every problem found, so that one run shows all there is to mend.
    """
    articles: dict[str, tuple[Article, str]] = {}
    macros: dict[str, tuple[Macro, str]] = {}
    problems: list[str] = []
    for place, row in _rows(paths, problems):
        try:
            whole = row if row.get("language") not in (None, "") else {**row, "language": language}
            if "intents" in row:
                _keep_one(macros, macro(whole), place)
            else:
                _keep_one(articles, article(whole), place)
        except ValueError as error:
            problems.append(f"{place}: {error}")
    for circle in circles({kept.id: kept.translation_of for kept, _ in articles.values()}):
        problems.append(f"{articles[circle[0]][1]}: translations go round in a circle: {' → '.join(circle)}")
        for identity in circle:
            articles.pop(identity, None)
    if problems and not keep_going:
        raise BadArticle(problems)
    if not articles and not macros:
        names = ", ".join(str(p) for p in paths)
        left_out = "".join(f"\n{problem}" for problem in problems)
        raise NothingToImport(f"No article or macro under {names}: {KINDS} are read.{left_out}")
    kept = tuple(a for a, _ in articles.values()), tuple(m for m, _ in macros.values())
    return Imported(*kept, tuple(problems))


def _keep_one(known: dict[str, Any], item: Any, place: str) -> None:
    if item.id in known:
        raise ValueError(
            f"id {item.id!r} is already taken by {known[item.id][1]}; every article and macro needs its own"
        )
    known[item.id] = (item, place)


def _rows(paths: Sequence[Path], problems: list[str]) -> Iterator[tuple[str, Row]]:
    for file in files_under(paths, _READERS.__contains__, problems):
        try:
            for place, row in _READERS[file.suffix](file):
                if isinstance(row, dict):
                    yield place, row
                elif isinstance(row, ValueError):
                    problems.append(f"{place}: {row}")
                else:
                    problems.append(f"{place}: should be a mapping with an id, and is {type(row).__name__}")
        # ValueError: what is too large or not UTF-8, and what YAML takes for a date that no calendar has. RuntimeError:
        # what is nested too deeply, and members of an archive that need a password or are packed in an unknown way.
        except (ValueError, OSError, EOFError, RuntimeError, zlib.error, BadZipFile, csv.Error, YAMLError) as error:
            problems.append(f"{file.place}: cannot be read ({' '.join(str(error).split())[:200]})")


def _markdown(file: SourceFile) -> Found:
    text = file.text()
    match = _FRONT_MATTER.match(text)
    # A README beside the articles is for people; it counts as an article only when it says so itself.
    if match is None and file.name.name == "README.md" and not text.startswith("---"):
        return
    if match is None:
        start = "--- / id: … / title: … / language: … / ---"
        yield file.place, ValueError(f"has no front matter. Begin the file with {start}")
        return
    front = yaml.safe_load(match[1])
    yield file.place, {**front, "body": match[2]} if isinstance(front, dict) else front


def _html(file: SourceFile) -> Found:
    """A page: its title, its language and what <meta> elements name; what says nothing is told by its path."""
    soup = BeautifulSoup(file.text(), "html.parser")
    metas = {str(meta["name"]): str(meta.get("content") or "") for meta in soup.find_all("meta", attrs={"name": True})}
    heading = soup.find("h1")
    title = soup.title.get_text(" ", strip=True) if soup.title else ""
    language = soup.html.get("lang") if soup.html else None
    if not title and heading:
        title = heading.get_text(" ", strip=True)
    if heading and heading.get_text(" ", strip=True) == title:
        heading.decompose()
    row: dict[str, Any] = {"id": _name(file), **{key: metas[key] for key in _METAS if metas.get(key)}}
    if words := metas.get("keywords"):
        row["tags"] = [word.strip() for word in words.split(",") if word.strip()]
    body = from_html(str(soup.find("main") or soup.find("article") or soup.body or soup))
    yield file.place, {**row, "title": title, "body": body, "language": language or _folder_language(file)}


def _plain(file: SourceFile) -> Found:
    """A macro for each file, called like it."""
    name = file.name.stem.replace("-", " ").replace("_", " ").strip()
    yield file.place, {
        "id": _name(file), "title": name, "language": _folder_language(file), "intents": [], "text": file.text()
    }  # fmt: skip


def _jsonl(file: SourceFile) -> Found:
    with _unzipped(file) as lines:
        yield from _json_lines(lines, file.place)


def _json_lines(lines: Iterable[bytes], place: str) -> Found:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(decoded(line))
        except ValueError as error:
            row = ValueError(f"is not JSON ({error})")
        yield f"{place}:{number}", row


@contextmanager
def _unzipped(file: SourceFile) -> Iterator[IO[bytes]]:
    with file.open() as raw:
        if file.suffix != ".gz":
            yield raw
        else:
            with gzip.open(raw) as unzipped:
                yield cast(IO[bytes], unzipped)


def _json(file: SourceFile) -> Found:
    try:
        content = json.loads(file.text())
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error}") from error
    if help_centre.is_export(content):
        yield from ((f"{file.place} {place}", row) for place, row in help_centre.rows(content))
    else:
        yield from _entries(file, content)


def _yaml(file: SourceFile) -> Found:
    yield from _entries(file, yaml.safe_load(file.text()))


def _entries(file: SourceFile, content: Any) -> Found:
    for number, row in enumerate(content if isinstance(content, list) else [content], 1):
        yield f"{file.place} entry {number}", row


def _csv(file: SourceFile) -> Found:
    csv.field_size_limit(MAX_BODY * 4)
    with _unzipped(file) as raw:
        lines = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
        header = lines.readline()
        names = next(csv.reader([header], delimiter=_separator(header)), [])
        reader = csv.DictReader(lines, [name.strip().lower() for name in names], delimiter=_separator(header))
        for cells in reader:
            place = f"{file.place}:{reader.line_num + 1}"
            if None in cells:
                yield place, ValueError(f"has more cells than the header, which has {len(names)}")
                continue
            row: dict[str, Any] = {name: cell.strip() for name, cell in cells.items() if cell and cell.strip()}
            for name in _LISTS:
                if name in cells:
                    row[name] = [word.strip() for word in row.get(name, "").split(";") if word.strip()]
            yield place, row


def _separator(header: str) -> str:
    return max(",;\t", key=header.count)


def _name(file: SourceFile) -> str:
    return file.name.with_suffix("").as_posix()


def _folder_language(file: SourceFile) -> str | None:
    """The language that a folder on the way to the file is named after, the nearest first."""
    for folder in reversed(file.name.parent.parts):
        if _LANGUAGE_FOLDER.match(folder):
            with suppress(ValueError):
                return canonical_language(folder)
    return None


_READERS: Mapping[str, Callable[[SourceFile], Found]] = {
    ".md": _markdown,
    ".html": _html,
    ".htm": _html,
    ".txt": _plain,
    ".jsonl": _jsonl,
    ".gz": _jsonl,
    ".json": _json,
    ".yaml": _yaml,
    ".yml": _yaml,
    ".csv": _csv,
}
