"""Reply candidates from past conversations: read with the live bundle, and stored in one transaction."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import numpy as np

from kb import mining
from kb.conversations import Conversation
from kb.mining import EXAMPLES, MAX_REPLY, MIN_COUNT, Exchange, Mined, Read, Said, Slot
from models.types import Vectors
from serving.desk import Desk
from serving.keeper import Snapshot
from serving.storage.candidates import MACROS, CandidateRecord, CandidateRepository, SourceRecord
from serving.storage.engine import Database
from serving.storage.feedback import FeedbackRepository, Position
from triage.entities import EntityFinder
from triage.pipeline import NO_PREDICTION, Message
from triage.taxonomy import Role, Taxonomy
from triage.types import UNDETERMINED, Entity, EntityType

_PAGE, _CHUNK = 500, 512
_WORTH_ADDING = 0.01
_DIGIT = re.compile(r"\d")
_TOKEN = re.compile(r"\d{4}|[^/]{24}")


@dataclass(frozen=True, slots=True)
class MiningReport:
    """What became of the replies that were looked at; those left out say nothing, or too much of somebody.

    Attributes:
        exchanges: requests with an answer, in resolved conversations.
        known: replies that are behind a candidate already.
        joined: new replies that say what a candidate says.
        said_by_macros: replies that say what a macro of the knowledge base says.
        too_rare: replies that were given in too few conversations.
        personal: replies left out since a long number or an address stayed in them.
        candidates: how many are new.
    """

    exchanges: int
    known: int
    joined: int
    said_by_macros: int
    too_rare: int
    personal: int
    candidates: int


@dataclass(frozen=True, slots=True)
class _Asked:
    """An exchange, and when its request is to go; None leaves that open."""

    exchange: Exchange
    expires_at: datetime | None


def mine_replies(
    desk: Desk,
    conversations: Sequence[Conversation],
    *,
    feedback: bool = False,
    min_count: int = MIN_COUNT,
    advance: Callable[[int], object] = lambda _: None,
) -> MiningReport:
    """Look for replies that were given more than once, and store them as candidates; all of it, or nothing.

    Args:
        feedback: what agents sent through Frontdesk itself, after they had edited it, takes part.
        min_count: conversations in which a reply has to be given.
        advance: called with the number of texts that have been read.
    """
    now, days = desk.current(), desk.settings.text_days
    expires = datetime.now(UTC) + timedelta(days=days)
    asked = [_Asked(exchange, expires) for one in conversations for exchange in mining.exchanges(one)]
    if feedback:
        asked += _edited_replies(desk.database)
    finder = now.pipeline.finder
    with desk.database.transaction(read_only=True) as session:
        candidates = CandidateRepository(session).all()
    reader = _Reader(now, advance)
    personal, said = _said(reader, asked, lambda text: _slots(finder, text))
    with desk.database.transaction(read_only=True) as session:
        known = CandidateRepository(session).known_sources([one.id for one in said])
    new = list({one.id: one for one in said if one.id not in known}.values())
    macros = [macro for macro in now.knowledge.macros if not macro.id.startswith(MACROS)]
    # Together, so that all are about the same mean.
    fixed = [(one.language, one.mined_text) for one in candidates] + [(one.language, one.text) for one in macros]
    new, others = _centred(now, reader, new, fixed)
    joined: dict[str, list[Said]] = defaultdict(list)
    by_macros, rest = 0, list[Said]()
    for one, at in zip(new, _nearest(new, fixed, others), strict=True):
        if at is None:
            rest.append(one)
        elif at < len(candidates):
            joined[candidates[at].id].append(one)
        else:
            by_macros += 1
    mined = mining.mine(rest, min_count=min_count)
    # An id that is there already is of the same text, and so the same candidate.
    ids = {one.id for one in candidates}
    for found in mined:
        joined[found.id] += found.said
    expiry = {asked_.exchange.conversation: asked_.expires_at for asked_ in asked}
    shown = {one.id: len(one.examples) for one in candidates}
    sources = [
        _source(identity, one, keep=days > 0 and at < EXAMPLES - shown.get(identity, 0), expires=expiry, finder=finder)
        for identity, group in joined.items()
        for at, one in enumerate(_different_requests(group))
    ]
    fresh = [_record(found) for found in mined if found.id not in ids]
    shares = {one.id: _merged(one, joined[one.id]) for one in candidates if joined.get(one.id)}
    with desk.database.transaction() as session:
        repository = CandidateRepository(session)
        added = repository.add(fresh)
        repository.add_sources(sources)
        repository.set_intents(shares)
    return MiningReport(
        exchanges=len(asked),
        known=len(known),
        joined=sum(len(group) for identity, group in joined.items() if identity in ids),
        said_by_macros=by_macros,
        too_rare=len(rest) - sum(len(found.said) for found in mined),
        personal=personal,
        candidates=added,
    )


class _Reader:
    """Texts as triage and the encoder read them, each once; vectors are not centred yet."""

    def __init__(self, now: Snapshot, advance: Callable[[int], object]) -> None:
        self._now, self._advance = now, advance
        taxonomy = now.pipeline.taxonomy
        self._small_talk = _of_role(taxonomy, Role.NO_REPLY)
        self._elsewhere = _of_role(taxonomy, Role.OUT_OF_SCOPE)
        self._read: dict[str, Read] = {}

    def read(self, texts: Sequence[str]) -> None:
        new = [text for text in dict.fromkeys(texts) if text not in self._read]
        for at in range(0, len(new), _CHUNK):
            some = new[at : at + _CHUNK]
            messages = [Message(mining.plain(text)) for text in some]
            found = self._now.pipeline.run(messages, at=datetime.now(UTC))
            for text, vector, triage, predictions in zip(
                some, found.vectors, found.triages, found.predictions, strict=True
            ):
                shares = {score.label: score.score for score in predictions.get("intent", NO_PREDICTION).ranking}
                small_talk = sum(share for label, share in shares.items() if label in self._small_talk)
                aside = self._small_talk | self._elsewhere
                matters = {k: v for k, v in shares.items() if k not in aside and v >= _WORTH_ADDING}
                self._read[text] = Read(text, triage.language.code, vector, small_talk, matters)
            self._advance(len(some))

    def __getitem__(self, text: str) -> Read:
        return self._read[text]

    def messages_centred(self, text: str) -> Read:
        """The text with its vector about the mean of its language's messages, to compare a reply with a request."""
        read, bundle = self._read[text], self._now.pipeline.bundle
        fallback = bundle.language_centers.get(UNDETERMINED, bundle.scale.center)
        moved = read.vector - bundle.language_centers.get(read.language, fallback)
        return replace(read, vector=moved / max(float(np.linalg.norm(moved)), 1e-9))


def _said(reader: _Reader, asked: Sequence[_Asked], find: mining.FindSlots) -> tuple[int, list[Said]]:
    """The replies that say something, without personal data, and how many were left out for it."""
    personal = 0
    found: list[Said] = []
    cleared: list[list[str]] = []
    for exchange in (one.exchange for one in asked):
        kept = [mining.masked(text, find, exchange.names) for text in exchange.replies if len(text) <= MAX_REPLY]
        personal += sum(part is None for part in kept)
        cleared.append([part for part in kept if part and mining.plain(part)])
    requests = [one.exchange.request for one in asked]
    reader.read([*requests, *(part for parts in cleared for part in parts)])
    telling = []
    for request, parts in zip(requests, cleared, strict=True):
        read = reader.messages_centred(request)
        worthy = [part for part in parts if mining.says_something(read, reader.messages_centred(part))]
        telling.append("\n".join(worthy) if read.language != UNDETERMINED and read.small_talk < 0.5 else "")
    reader.read([text for text in telling if text])
    for one, text in zip(asked, telling, strict=True):
        if text and reader[text].language != UNDETERMINED:
            found.append(Said(one.exchange.conversation, reader[one.exchange.request], reader[text]))
    return personal, found


def _edited_replies(database: Database) -> Iterator[_Asked]:
    """What agents sent after they had edited a suggestion, where message and reply are still kept."""
    now, after = datetime.now(UTC), None
    while True:
        with database.transaction(read_only=True) as session:
            page = FeedbackRepository(session).page(after, limit=_PAGE)
        for feedback in page:
            decision = feedback.decision
            replies = tuple(
                reply.text
                for reply in feedback.replies
                if reply.edited and reply.text and not _is_over(reply.text_expires_at, now)
            )
            if replies and decision.text and not _is_over(decision.text_expires_at, now):
                yield _Asked(Exchange(f"decision:{decision.id}", decision.text, replies), decision.text_expires_at)
        if len(page) < _PAGE:
            return
        after = Position(page[-1].decision.created_at, page[-1].decision.id)


def _is_over(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment <= now


def _slots(finder: EntityFinder, text: str) -> list[Slot]:
    found = ((entity, _placeholder(entity)) for entity in finder.find(text))
    return [Slot(entity.start, entity.end, f"{{{{{name}}}}}") for entity, name in found if name]


def _placeholder(entity: Entity) -> str | None:
    """The name that stands for an entity; None for one that any customer may be told: Friday, a page of the shop."""
    match entity.type:
        case EntityType.URL:
            url = urlsplit(entity.text if "//" in entity.text else f"//{entity.text}")
            own = url.query or url.fragment or url.username or _TOKEN.search(url.path)
            return "link" if own else None
        case EntityType.DATE:
            return "date" if _DIGIT.search(entity.text) else None
        case _:
            return entity.type.value


def _centred(
    now: Snapshot, reader: _Reader, said: Sequence[Said], fixed: Sequence[tuple[str, str]]
) -> tuple[list[Said], Vectors]:
    """The replies with vectors about the mean of their language, and the vectors of `fixed` about the same."""
    bundle = now.pipeline.bundle
    texts = [text for _, text in fixed]
    reader.read(texts)
    vectors = [one.reply.vector for one in said] + [reader[text].vector for text in texts]
    if not vectors:
        return [], np.zeros((0, now.pipeline.encoder.dimension), np.float32)
    languages = [one.reply.language for one in said] + [language for language, _ in fixed]
    fallback = bundle.language_centers.get(UNDETERMINED, bundle.scale.center)
    moved = mining.centred(np.stack(vectors), languages, bundle.language_centers, fallback)
    replies = [replace(one, reply=replace(one.reply, vector=moved[at])) for at, one in enumerate(said)]
    return replies, moved[len(said) :]


def _nearest(said: Sequence[Said], fixed: Sequence[tuple[str, str]], vectors: Vectors) -> list[int | None]:
    """For each reply the row of what says the same in its language."""
    found: list[int | None] = [None] * len(said)
    for language in {one.reply.language for one in said}:
        rows = [at for at, (other, _) in enumerate(fixed) if other == language]
        ours = [at for at, one in enumerate(said) if one.reply.language == language]
        for at, row in zip(ours, mining.nearest([said[at] for at in ours], vectors[rows]), strict=True):
            found[at] = None if row is None else rows[row]
    return found


def _different_requests(group: Sequence[Said]) -> list[Said]:
    """Those whose requests nobody made before them first, so that examples differ."""
    seen: set[str] = set()
    first: list[Said] = []
    again: list[Said] = []
    for one in group:
        (again if one.request.text in seen else first).append(one)
        seen.add(one.request.text)
    return first + again


def _source(
    candidate: str, one: Said, *, keep: bool, expires: Mapping[str, datetime | None], finder: EntityFinder
) -> SourceRecord:
    request = mining.example(one.request.text, lambda text: _slots(finder, text)) if keep else None
    return SourceRecord(id=one.id, candidate_id=candidate, request=request, text_expires_at=expires[one.conversation])


def _record(found: Mined) -> CandidateRecord:
    return CandidateRecord(
        id=found.id,
        created_at=datetime.now(UTC),
        language=found.language,
        mined_text=found.text,
        intent_shares=found.intents,
        title=found.title,
        text=found.text,
        intents=tuple(found.intents),
    )


def _merged(one: CandidateRecord, more: Sequence[Said]) -> dict[str, float]:
    """The intents of a candidate with those of replies that joined it, weighted by their numbers."""
    totals = {intent: share * one.count for intent, share in one.intent_shares.items()}
    for intent, share in mining.intent_shares([said.request for said in more]).items():
        totals[intent] = totals.get(intent, 0.0) + share * len(more)
    best = sorted(totals.items(), key=lambda item: (-item[1], item[0]))[: mining.INTENTS]
    return {intent: round(total / (one.count + len(more)), 4) for intent, total in best}


def _of_role(taxonomy: Taxonomy, role: Role) -> frozenset[str]:
    return frozenset(intent.id for intent in taxonomy.intents if intent.role is role)
