"""Articles and macros from files: Markdown with front matter, JSONL, and YAML for macros."""

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from kb.errors import BadArticle, NothingToImport
from kb.types import Article, Audience, Macro
from models.languages import canonical_language

MAX_BODY = 200_000
"""Code points of one article; longer ones are exports gone wrong more often than articles."""

_FRONT_MATTER = re.compile(r"\A\ufeff?---\s*\n(.*?)\n---\s*(?:\n|\Z)(.*)\Z", re.DOTALL)
_ID = re.compile(r"[\w.\-/:]{1,200}\Z")


@dataclass(frozen=True, slots=True)
class Imported:
    articles: tuple[Article, ...]
    macros: tuple[Macro, ...]


def read(paths: Sequence[Path]) -> Imported:
    """Read every article and macro under `paths` (folders are walked), or nothing at all.

    Raises:
        NothingToImport: for a path that is missing, or when no file under the paths is an article or macro.
        BadArticle: with every problem found, so that one run shows all there is to mend.
    """
    articles: dict[str, tuple[Article, str]] = {}
    macros: dict[str, tuple[Macro, str]] = {}
    problems: list[str] = []
    for path in paths:
        for place, row in _rows(path, problems):
            try:
                if "intents" in row:
                    _keep_one(macros, _macro(row), place)
                else:
                    _keep_one(articles, _article(row), place)
            except ValueError as error:
                problems.append(f"{place}: {error}")
    for article, place in articles.values():
        if article.translation_of == article.id:
            problems.append(f"{place}: translation_of names the article itself ({article.id})")
    if problems:
        raise BadArticle(problems)
    if not articles and not macros:
        names = ", ".join(str(p) for p in paths)
        raise NothingToImport(f"No article or macro under {names}: .md, .jsonl, .jsonl.gz and .yaml files are read.")
    return Imported(tuple(a for a, _ in articles.values()), tuple(m for m, _ in macros.values()))


def _keep_one(known: dict[str, Any], item: Any, place: str) -> None:
    if item.id in known:
        raise ValueError(
            f"id {item.id!r} is already taken by {known[item.id][1]}; every article and macro needs its own"
        )
    known[item.id] = (item, place)


def _rows(path: Path, problems: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    if not path.exists():
        raise NothingToImport(f"{path} does not exist. Name a folder of Markdown articles, or a .jsonl or .yaml file.")
    readers = {".md": _markdown, ".jsonl": _jsonl, ".gz": _jsonl, ".yaml": _yaml, ".yml": _yaml}
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix in readers and p.is_file())
    for file in files:
        reader = readers.get(file.suffix)
        # A README beside the articles is for people; it counts as an article only when it says so itself.
        if reader is None or (file.name == "README.md" and not file.read_bytes().startswith(b"---")):
            continue
        try:
            for place, row in reader(file):
                if isinstance(row, dict):
                    yield place, row
                elif isinstance(row, ValueError):
                    problems.append(f"{place}: {row}")
                else:
                    problems.append(f"{place}: should be a mapping with an id, and is {type(row).__name__}")
        # ValueError: text that is not UTF-8, and what YAML takes for a date that no calendar has.
        except (ValueError, OSError, EOFError, zlib.error, yaml.YAMLError) as error:
            problems.append(f"{file}: cannot be read ({' '.join(str(error).split())[:200]})")


def _markdown(file: Path) -> Iterator[tuple[str, Any]]:
    match = _FRONT_MATTER.match(file.read_text(encoding="utf-8"))
    if match is None:
        start = "--- / id: … / title: … / language: … / ---"
        yield str(file), ValueError(f"has no front matter. Begin the file with {start}")
        return
    front = yaml.safe_load(match[1])
    yield str(file), {**front, "body": match[2]} if isinstance(front, dict) else front


def _jsonl(file: Path) -> Iterator[tuple[str, Any]]:
    with gzip.open(file, "rt", encoding="utf-8") if file.suffix == ".gz" else file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    row = json.loads(line)
                except ValueError as error:
                    row = ValueError(f"is not JSON ({error})")
                yield f"{file}:{number}", row


def _yaml(file: Path) -> Iterator[tuple[str, Any]]:
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    for number, row in enumerate(content if isinstance(content, list) else [content], 1):
        yield f"{file} entry {number}", row


def _article(row: dict[str, Any]) -> Article:
    return Article(
        **_fields(
            row,
            id=_identity,
            language=_language,
            title=partial(_text, key="title", limit=300),
            body=partial(_text, key="body", limit=MAX_BODY),
            audience=_audience,
            translation_of=_translation_of,
            tags=partial(_strings, key="tags"),
        )
    )


def _macro(row: dict[str, Any]) -> Macro:
    return Macro(
        **_fields(
            row,
            id=_identity,
            language=_language,
            title=partial(_text, key="title", limit=300),
            intents=partial(_strings, key="intents"),
            text=partial(_text, key="text", limit=10_000),
        )
    )


def _fields(row: dict[str, Any], **readers: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """What the readers make of `row`; the ValueError names every problem in it, not the first alone."""
    fields: dict[str, Any] = {}
    problems = []
    for name, reader in readers.items():
        try:
            fields[name] = reader(row)
        except ValueError as error:
            problems.append(str(error))
    if problems:
        raise ValueError("; ".join(problems))
    return fields


def _identity(row: dict[str, Any]) -> str:
    value = row.get("id")
    if value is None or value == "":
        raise ValueError("has no id")
    if isinstance(value, bool) or not isinstance(value, str | int) or not _ID.match(str(value)):
        raise ValueError(f"id {value!r} should be 1 to 200 letters, digits or . _ - / :")
    return str(value)


def _language(row: dict[str, Any]) -> str:
    value = row.get("language")
    # YAML reads a bare `no`, Norwegian, as False.
    return canonical_language("no" if value is False else str(value or ""))


def _audience(row: dict[str, Any]) -> Audience:
    value = row.get("audience") or Audience.PUBLIC
    if value not in list(Audience):
        raise ValueError(f"audience {value!r} is neither public nor internal")
    return Audience(value)


def _translation_of(row: dict[str, Any]) -> str | None:
    value = row.get("translation_of")
    if value is not None and not isinstance(value, str):
        raise ValueError(f"translation_of should be an article's id, and is {value!r}")
    return value


def _text(row: dict[str, Any], key: str, limit: int) -> str:
    value = row.get(key)
    if value is None or (isinstance(value, str) and not value.strip()):
        raise ValueError(f"has no {key}")
    if not isinstance(value, str):
        raise ValueError(f"{key} should be text, and is {value!r}; put it in quotes")
    if len(value) > limit:
        raise ValueError(f"{key} has {len(value):,} characters; the limit is {limit:,}. Split the article.")
    return value.strip()


def _strings(row: dict[str, Any], key: str) -> tuple[str, ...]:
    value = row.get(key) or []
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise ValueError(f"{key} should be a list of words, and is {value!r}")
    return tuple(value)
