"""Runs versions on the connection, and inside the transaction and lock, of `serving.storage.engine.migrate`."""

from alembic import context

from serving.storage.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, render_as_batch=True)
context.run_migrations()
