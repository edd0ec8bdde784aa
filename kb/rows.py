"""A row of a file as an article or a macro, or everything that is wrong with it."""

import hashlib
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from kb.markup import escaped, from_markdown
from kb.types import Article, Audience, Macro
from models.languages import canonical_language

MAX_BODY = 200_000
"""Code points of one article; longer ones are exports gone wrong more often than articles."""
MAX_TITLE, MAX_MACRO, MAX_ID = 300, 10_000, 200
MAX_TAGS, MAX_TAG = 100, 200

Row = Mapping[str, Any]


def article(row: Row) -> Article:
    """
    Raises:
        ValueError: that names every problem of the row.
    """
    if "question" in row or "answer" in row:
        row = _of_question(row)
    found = Article(
        **_fields(
            row,
            id=_identity,
            language=_language,
            title=_title,
            body=_body,
            audience=_audience,
            translation_of=_translation_of,
            tags=_tags,
            section=_section,
            valid_from=partial(_day, key="valid_from"),
            valid_until=partial(_day, key="valid_until"),
            draft=_draft,
            edited_at=_edited_at,
        )
    )
    if found.translation_of == found.id:
        raise ValueError(f"translation_of names the article itself ({found.id})")
    if found.valid_from and found.valid_until and found.valid_from > found.valid_until:
        raise ValueError(f"valid_until ({found.valid_until}) lies before valid_from ({found.valid_from})")
    return found


def macro(row: Row) -> Macro:
    """
    Raises:
        ValueError: that names every problem of the row.
    """
    return Macro(
        **_fields(
            row,
            id=_identity,
            language=_language,
            title=partial(_text, key="title", limit=MAX_TITLE),
            intents=partial(_strings, key="intents"),
            text=partial(_text, key="text", limit=MAX_MACRO),
        )
    )


def _of_question(row: Row) -> Row:
    """A question with its answer as an article. Lists of them seldom have ids; the question's own words make one."""
    question = str(row.get("question") or "")
    digest = hashlib.sha256(f"{row.get('language')}\n{question.strip()}".encode("utf-8", "replace")).hexdigest()
    named = {"title": row.get("question"), "body": row.get("answer")}
    return {"id": f"question-{digest[:12]}", **named, **{key: value for key, value in row.items() if value is not None}}


def _fields(row: Row, **readers: Callable[[Row], Any]) -> dict[str, Any]:
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


def _identity(row: Row) -> str:
    value = row.get("id")
    if value is None or value == "":
        raise ValueError("has no id")
    if isinstance(value, bool) or not isinstance(value, str | int) or not _may_be_an_id(str(value)):
        raise ValueError(f"id {value!r} should be 1 to 200 letters, digits or . _ - / :")
    return str(value)


def _may_be_an_id(value: str) -> bool:
    # Thai writes vowels and tones as marks, which are no letters by themselves.
    known = (letter.isalnum() or letter in "._-/:" or unicodedata.category(letter) in ("Mn", "Mc") for letter in value)
    return len(value) <= MAX_ID and all(known)


def _language(row: Row) -> str:
    value = row.get("language")
    if value is None or value == "":
        raise ValueError("has no language; write it there, or name one for all that have none with --language")
    # YAML reads a bare `no`, Norwegian, as False.
    return canonical_language("no" if value is False else str(value))


def _title(row: Row) -> str:
    return escaped(_text(row, "title", MAX_TITLE))


def _body(row: Row) -> str:
    body = from_markdown(_text(row, "body", MAX_BODY))
    if not body:
        raise ValueError("has no body: nothing but markup is in it")
    return body


def _audience(row: Row) -> Audience:
    value = row.get("audience") or Audience.PUBLIC
    if value not in list(Audience):
        raise ValueError(f"audience {value!r} is neither public nor internal")
    return Audience(value)


def _translation_of(row: Row) -> str | None:
    value = row.get("translation_of")
    if value is not None and not isinstance(value, str):
        raise ValueError(f"translation_of should be an article's id, and is {value!r}")
    return value or None


def _tags(row: Row) -> tuple[str, ...]:
    tags = tuple(dict.fromkeys(stripped for tag in _strings(row, "tags") if (stripped := tag.strip())))
    if len(tags) > MAX_TAGS:
        raise ValueError(f"has {len(tags):,} tags; the limit is {MAX_TAGS}. Keep those that customers use.")
    if long := next((tag for tag in tags if len(tag) > MAX_TAG), None):
        raise ValueError(f"tag {long[:40]!r}… has {len(long):,} characters; the limit is {MAX_TAG}. Shorten it.")
    return tags


def _section(row: Row) -> str:
    return escaped(_text(row, "section", MAX_TITLE)) if row.get("section") else ""


def _day(row: Row, key: str) -> date | None:
    value = row.get(key)
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise ValueError(f"{key} {value!r} should be a day, as 2026-11-30") from error


def _draft(row: Row) -> bool:
    value = row.get("draft")
    found = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "none": False, "": False}
    try:
        return found[str(value).lower()]
    except KeyError as error:
        raise ValueError(f"draft should be true or false, and is {value!r}") from error


def _edited_at(row: Row) -> datetime | None:
    value = row.get("updated_at")
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise ValueError(f"updated_at {value!r} should be a moment, as 2026-11-30T08:00:00Z") from error
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _text(row: Row, key: str, limit: int) -> str:
    value = row.get(key)
    if value is None or (isinstance(value, str) and not value.strip()):
        raise ValueError(f"has no {key}")
    if not isinstance(value, str):
        raise ValueError(f"{key} should be text, and is {value!r}; put it in quotes")
    if len(value) > limit:
        raise ValueError(f"{key} has {len(value):,} characters; the limit is {limit:,}. Split the article.")
    return value.strip()


def _strings(row: Row, key: str) -> tuple[str, ...]:
    value = row.get(key) or []
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise ValueError(f"{key} should be a list of words, and is {value!r}")
    return tuple(value)
