"""The one Alembic chain of Frontdesk, for live data and the knowledge base; `serving.storage.engine` runs it."""
