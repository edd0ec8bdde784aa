"""API keys: shown once, found by their plain form, ended for good."""

import re

from sqlalchemy import text

from serving.storage.engine import Database
from serving.storage.keys import ApiKeyRepository


def test_a_key_is_found_by_its_plain_form_only(database: Database) -> None:
    with database.transaction() as session:
        created = ApiKeyRepository(session).create("โต๊ะบริการลูกค้า", ["triage", "feedback"])
    assert re.fullmatch(r"fd_[0-9a-f]{16}_[0-9a-f]{64}", created.key)
    assert created.record.scopes == ("triage", "feedback")
    last = "0" if created.key[-1] != "0" else "1"
    wrong = ["", "fd", "fd_", "fd__", f"fd_{created.record.id}_", created.key[:-1] + last, created.key[3:]]
    wrong += [created.key + "0", f"fd_{created.record.id}_ключ", f"fd_{created.record.id}\0_x", "\ud800"]
    with database.transaction(read_only=True) as session:
        keys = ApiKeyRepository(session)
        assert keys.find(created.key) == created.record
        assert [keys.find(key) for key in wrong] == [None] * len(wrong)


def test_the_plain_key_is_stored_and_printed_nowhere(database: Database) -> None:
    with database.transaction() as session:
        created = ApiKeyRepository(session).create("Quầy hỗ trợ", [])
        rows = session.execute(text("SELECT * FROM api_keys")).all()
    secret = created.key.rpartition("_")[2]
    assert secret not in repr(rows)
    assert secret not in repr(created)


def test_a_revoked_key_is_found_no_more_and_stays_listed(database: Database) -> None:
    with database.transaction() as session:
        keys = ApiKeyRepository(session)
        first, second = keys.create("客服台", ["triage"]), keys.create("Служба поддержки", ["triage"])
    with database.transaction() as session:
        revoked = ApiKeyRepository(session).revoke(first.record.id)
    assert revoked is not None
    assert revoked.revoked_at is not None
    with database.transaction() as session:
        keys = ApiKeyRepository(session)
        assert keys.find(first.key) is None
        assert keys.find(second.key) == second.record
        assert keys.revoke(first.record.id) == revoked
        assert keys.revoke("nobody") is None
        assert keys.list() == (revoked, second.record)
