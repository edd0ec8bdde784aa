"""The knowledge base in SQL, and the column types that every table of Frontdesk shares."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from enum import StrEnum
from operator import attrgetter
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

from sqlalchemy import JSON, DateTime, Dialect, Enum, MetaData, Text, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.types import TypeDecorator

from kb.errors import BadArticle
from kb.translations import circles
from kb.types import Article, Audience, Macro

EMPTY = "empty"
"""The version of a knowledge base that holds nothing."""

_CHUNK = 1000
_Item = TypeVar("_Item", Article, Macro)


class UtcTime(TypeDecorator[datetime]):
    """A moment, aware and in UTC on both sides; SQLite, which has no time zones, keeps it without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no time zone; pass datetime.now(UTC) or the like.")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class StorableText(TypeDecorator[str]):
    """Any text that a customer can send: NUL, which PostgreSQL refuses, and lone surrogates become U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        if value is None or (value.isascii() and "\0" not in value):
            return value
        whole = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return whole.replace("\0", "\ufffd")


COLUMN_TYPES: dict[Any, Any] = {
    str: StorableText,
    datetime: UtcTime,
    StrEnum: Enum(StrEnum, native_enum=False, length=32, values_callable=list),
    # JSON, not JSONB: JSONB refuses the escape of NUL and reorders keys.
    dict[str, Any]: JSON,
    list[str]: JSON,
}

CONSTRAINT_NAMES = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ix": "ix_%(table_name)s_%(column_0_name)s",
}


class KnowledgeBase(DeclarativeBase):
    """The tables of this module."""

    metadata = MetaData(naming_convention=CONSTRAINT_NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = COLUMN_TYPES


class ArticleRow(KnowledgeBase):
    __tablename__ = "kb_articles"

    id: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str]
    title: Mapped[str]
    body: Mapped[str]
    audience: Mapped[Audience]
    translation_of: Mapped[str | None]
    tags: Mapped[list[str]]
    section: Mapped[str]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    draft: Mapped[bool]
    edited_at: Mapped[datetime | None]
    version: Mapped[int]
    digest: Mapped[str]
    updated_at: Mapped[datetime]


class MacroRow(KnowledgeBase):
    __tablename__ = "kb_macros"

    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    language: Mapped[str]
    intents: Mapped[list[str]]
    text: Mapped[str]
    digest: Mapped[str]
    updated_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class UpsertCounts:
    added: int
    changed: int
    unchanged: int


class KnowledgeStore:
    """Articles and macros, within the transaction of `session`; it never commits."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def upsert_articles(self, articles: Sequence[Article]) -> UpsertCounts:
        """Write what is new or differs in content, which counts its version up; of one id the later article counts.

        Raises:
            BadArticle: when translations, those of articles that are there already too, go round in a circle.
        """
        counts = self._upsert(ArticleRow, {a.id: _content(a) for a in articles}, {"version": 1})
        rows = self._session.execute(select(ArticleRow.id, ArticleRow.translation_of))
        if found := circles({row.id: row.translation_of for row in rows}):
            raise BadArticle([f"translations go round in a circle: {' → '.join(circle)}" for circle in found])
        return counts

    def upsert_macros(self, macros: Sequence[Macro]) -> UpsertCounts:
        """Write what is new or differs in content; of two macros with one id the later counts."""
        return self._upsert(MacroRow, {m.id: _content(m) for m in macros})

    def articles(self) -> list[Article]:
        """Every article, sorted by id in code point order."""
        rows = self._session.scalars(select(ArticleRow))
        return sorted((_item(Article, row) for row in rows), key=attrgetter("id"))

    def macros(self) -> list[Macro]:
        """Every macro, sorted by id in code point order."""
        rows = self._session.scalars(select(MacroRow))
        return sorted((_item(Macro, row) for row in rows), key=attrgetter("id"))

    def delete(self, ids: Sequence[str]) -> list[str]:
        """Remove the articles and macros of these ids; the answer names those that existed, in the order given."""
        gone: set[str] = set()
        for chunk in _chunks(list(dict.fromkeys(ids))):
            for row in (ArticleRow, MacroRow):
                gone.update(self._session.scalars(delete(row).where(row.id.in_(chunk)).returning(row.id)))
        return [id_ for id_ in dict.fromkeys(ids) if id_ in gone]

    def version(self) -> str:
        """Twelve hex digits that change when, and only when, the content does; `empty` for nothing."""
        kinds = {row.__tablename__: sorted(self._digests(row).items()) for row in (ArticleRow, MacroRow)}
        return _digest(kinds)[:12] if any(kinds.values()) else EMPTY

    def stamp(self) -> tuple[Any, ...]:
        """Cheap, and different after nearly every change: what `version` says for certain."""
        kinds = [select(func.count(), func.max(row.updated_at)) for row in (ArticleRow, MacroRow)]
        return tuple(value for kind in kinds for value in self._session.execute(kind).one())

    def new_or_changed(self, articles: Sequence[Article], macros: Sequence[Macro]) -> tuple[list[Article], list[Macro]]:
        """Those that an upsert would write."""
        return self._differing(ArticleRow, articles), self._differing(MacroRow, macros)

    def _differing(self, row: type[ArticleRow] | type[MacroRow], items: Sequence[_Item]) -> list[_Item]:
        known = self._digests(row)
        return [item for item in items if known.get(item.id) != _digest(_content(item))]

    def _upsert(
        self,
        row: type[ArticleRow] | type[MacroRow],
        contents: Mapping[str, dict[str, Any]],
        at_first: Mapping[str, int] = MappingProxyType({}),
    ) -> UpsertCounts:
        """`at_first` has counters: what they are in a new row, and what each change adds to them."""
        known, digests = self._digests(row), {id_: _digest(content) for id_, content in contents.items()}
        now = datetime.now(UTC)
        # In order of id, so that two imports at once wait for each other instead of deadlocking.
        fresh = [
            {"id": id_, **contents[id_], **at_first, "digest": digests[id_], "updated_at": now}
            for id_ in sorted(contents)
            if known.get(id_) != digests[id_]
        ]
        if fresh:
            statement = conflict_insert(self._session)(row)
            overwrite = {name: statement.excluded[name] for name in fresh[0] if name != "id"}
            counters: dict[str, Any] = {name: row.__table__.c[name] + step for name, step in at_first.items()}
            overwrite |= counters
            # Another import may have written the same meanwhile, which is no change.
            differs = row.digest != statement.excluded.digest
            upsert = statement.on_conflict_do_update(index_elements=["id"], set_=overwrite, where=differs)
            self._session.execute(upsert, fresh)
        added = sum(id_ not in known for id_ in contents)
        return UpsertCounts(added=added, changed=len(fresh) - added, unchanged=len(contents) - len(fresh))

    def _digests(self, row: type[ArticleRow] | type[MacroRow]) -> dict[str, str]:
        return {found.id: found.digest for found in self._session.execute(select(row.id, row.digest))}


def conflict_insert(session: Session) -> Callable[[Any], sqlite.Insert | postgresql.Insert]:
    """The `insert` of the session's database that knows ON CONFLICT; the two are spelled alike."""
    return sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _content(item: Article | Macro) -> dict[str, Any]:
    """What a change is a change of: all but the id, and the version that counts the changes."""
    values = {field.name: getattr(item, field.name) for field in fields(item) if field.name not in ("id", "version")}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _item(kind: type[_Item], row: ArticleRow | MacroRow) -> _Item:
    stored = {field.name: getattr(row, field.name) for field in fields(kind)}
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in stored.items()}
    return kind(**values)


def _chunks(ids: list[str]) -> Iterator[list[str]]:
    return (ids[at : at + _CHUNK] for at in range(0, len(ids), _CHUNK))
