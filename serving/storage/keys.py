"""API keys: shown once, kept as a hash.

A key is `fd_<id>_<secret>` with 256 random bits in its secret. Nobody can guess or enumerate those, so one round of
SHA-256 is the right hash: the slow, salted ones protect what people choose, and would cost every request.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from serving.storage.tables import ApiKeyRow

_PREFIX = "fd"


@dataclass(frozen=True, slots=True)
class ApiKeyRecord:
    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key at the only moment when its plain form is known."""

    record: ApiKeyRecord
    key: str

    def __repr__(self) -> str:
        return f"NewApiKey(record={self.record!r}, key=…)"


class ApiKeyRepository:
    """Keys within the transaction of `session`; it never commits."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, name: str, scopes: Sequence[str]) -> NewApiKey:
        id_ = secrets.token_hex(8)
        key = f"{_PREFIX}_{id_}_{secrets.token_hex(32)}"
        row = ApiKeyRow(id=id_, name=name, key_hash=_hash(key), scopes=list(scopes), created_at=datetime.now(UTC))
        self._session.add(row)
        self._session.flush()
        return NewApiKey(_record(row), key)

    def find(self, key: str) -> ApiKeyRecord | None:
        """Whose key this is; None for one that is unknown, altered or revoked."""
        prefix, _, rest = key.partition("_")
        row = self._session.get(ApiKeyRow, rest.partition("_")[0]) if prefix == _PREFIX else None
        if row is None or row.revoked_at is not None or not hmac.compare_digest(row.key_hash, _hash(key)):
            return None
        return _record(row)

    def revoke(self, key_id: str) -> ApiKeyRecord | None:
        """End a key for good; a second time changes nothing, and None means that no key has this id."""
        row = self._session.get(ApiKeyRow, key_id, with_for_update=True)
        if row is None:
            return None
        row.revoked_at = row.revoked_at or datetime.now(UTC)
        self._session.flush()
        return _record(row)

    def list(self) -> Sequence[ApiKeyRecord]:
        """Every key, revoked ones too, oldest first."""
        rows = self._session.scalars(select(ApiKeyRow).order_by(ApiKeyRow.created_at, ApiKeyRow.id))
        return tuple(_record(row) for row in rows)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def _record(row: ApiKeyRow) -> ApiKeyRecord:
    return ApiKeyRecord(row.id, row.name, tuple(row.scopes), row.created_at, row.revoked_at)
