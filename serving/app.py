"""The HTTP application around one desk."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import version

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from serving.api import answers, candidates, desk, knowledge, suggestions, triage
from serving.desk import Desk
from serving.limits import BodyLimit, RequestLog
from serving.problems import add_problem_handlers
from serving.storage.answers import AnswerRepository
from serving.storage.candidates import CandidateRepository
from serving.storage.engine import StorageError
from serving.storage.feedback import FeedbackRepository
from serving.storage.records import DecisionRepository, SuggestionRepository

PURGE_EVERY = 3600.0
"""Seconds between two looks for texts whose days are over."""

log = logging.getLogger(__name__)


def create_app(served: Desk, *, keys_required: bool = False) -> FastAPI:
    """The application; its pages under /docs and /redoc work without the internet."""
    app = FastAPIOffline(
        title="Frontdesk",
        version=version("frontdesk"),
        summary="Tags, answers and suggested replies for what customers write, in any language.",
        lifespan=_lifespan,
    )
    app.state.desk = served
    app.state.keys_required = keys_required
    for resource in (triage, answers, suggestions, candidates, knowledge, desk):
        app.include_router(resource.router)
    add_problem_handlers(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(RequestLog)
    return app


def purge_expired_texts(served: Desk) -> int:
    """Delete the texts whose days are over; the number of records that lost theirs."""
    now = datetime.now(UTC)
    with served.database.transaction() as session:
        kinds = DecisionRepository, SuggestionRepository, FeedbackRepository, AnswerRepository, CandidateRepository
        return sum(kind(session).purge_expired_text(now) for kind in kinds)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    purging = asyncio.create_task(_purge_for_ever(app.state.desk))
    with app.state.desk.shadow.recording(), app.state.desk.keeper.watching():
        yield
    purging.cancel()
    with suppress(asyncio.CancelledError):
        await purging


async def _purge_for_ever(served: Desk) -> None:
    while True:
        try:
            if count := await asyncio.to_thread(purge_expired_texts, served):
                log.info("deleted %d expired texts", count)
        except StorageError as error:
            log.warning("expired texts stay for now: %s", error)
        await asyncio.sleep(PURGE_EVERY)
