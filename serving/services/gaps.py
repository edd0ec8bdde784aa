"""What customers ask and the knowledge base does not solve: open questions, the same in one cluster in any language."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from kb.gaps import central, cluster, rows
from kb.passages import Passage
from kb.search import KnowledgeBase, Question
from kb.translations import originals
from kb.types import Audience
from models.types import Vectors
from serving.desk import Desk
from serving.keeper import Snapshot
from serving.services.reading import ask
from serving.storage.answers import AnswerRepository, OpenQuestion
from triage.normalize import fold, normalize
from triage.pipeline import Message
from triage.types import UNDETERMINED

MOST_QUESTIONS = 20_000
EXAMPLES = 3
EXCERPT = 300
"""Characters of an example."""

_CHUNK = 512
_ASKED = 6
"""Questions of a cluster for which the nearest article is looked up."""


@dataclass(frozen=True, slots=True)
class Example:
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Nearest:
    """The article that lies nearest to a cluster.

    Attributes:
        languages: its own and those of its translations, as far as customers find them today.
        missing_languages: those of the cluster that are not among them.
    """

    article_id: str
    title: str
    score: float
    languages: tuple[str, ...]
    missing_languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """Questions that ask for the same: `unanswered` got no answer, `unsolved` one that did not help."""

    count: int
    languages: Mapping[str, int]
    unanswered: int
    unsolved: int
    intent: str | None
    examples: tuple[Example, ...]
    nearest: Nearest | None


@dataclass(frozen=True, slots=True)
class Gaps:
    """The largest clusters of open questions.

    Attributes:
        questions: how many were looked at, the newest; `older` ones were left out for the limit.
        expired: open questions whose text is not kept any more, which nobody can look at.
        clusters: how many there are; `gaps` has the largest.
    """

    questions: int
    older: int
    expired: int
    clusters: int
    gaps: tuple[Gap, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def knowledge_gaps(
    desk: Desk, *, days: int, top: int, limit: int = MOST_QUESTIONS, advance: Callable[[int, int], None] | None = None
) -> Gaps:
    """Cluster the open questions of the last `days`, the largest cluster first.

    Args:
        limit: the newest of so many questions are read.
        advance: called with the texts read so far and all that are to be read.
    """
    at, now = datetime.now(UTC), desk.current()
    with desk.database.transaction(read_only=True) as session:
        found = AnswerRepository(session).open_questions(since=at - timedelta(days=days), now=at, limit=limit)
    questions = found.newest
    if not questions:
        return Gaps(0, found.older, found.expired, 0, ())
    vectors = _vectors(now, questions, advance or (lambda _done, _all: None))
    seen = rows(vectors, [q.intent for q in questions], [q.intent_confidence for q in questions])
    numbers = cluster(seen)
    gaps = tuple(
        _gap(now, [questions[place] for place in members[central(seen[members])]])
        for members in (np.flatnonzero(numbers == number) for number in range(min(top, int(numbers.max()) + 1)))
    )
    return Gaps(len(questions), found.older, found.expired, int(numbers.max()) + 1, gaps)


def _vectors(now: Snapshot, questions: Sequence[OpenQuestion], advance: Callable[[int, int], None]) -> Vectors:
    """Centred, shape (questions, dimension); the same text, whatever its case and width, is encoded once."""
    texts = [normalize(question.text, now.pipeline.taxonomy.own_words) for question in questions]
    folded = [fold(text) for text in texts]
    first = {same: at for at, same in reversed(list(enumerate(folded)))}
    different = {same: row for row, same in enumerate(first)}
    chosen = [texts[at] for at in first.values()]
    encoded = []
    for start in range(0, len(chosen), _CHUNK):
        encoded.append(now.pipeline.encoder.encode(chosen[start : start + _CHUNK]))
        advance(min(start + _CHUNK, len(chosen)), len(chosen))
    vectors = np.vstack(encoded)
    centred = [
        now.knowledge.centred_question(Question(text, vectors[different[same]], question.language, {}))
        for text, same, question in zip(texts, folded, questions, strict=True)
    ]
    return np.stack(centred)


def _gap(now: Snapshot, members: Sequence[OpenQuestion]) -> Gap:
    """Of a cluster's questions, from its middle outwards."""
    languages = dict(Counter(member.language for member in members).most_common())
    weights: dict[str, float] = defaultdict(float)
    for member in members:
        if member.intent:
            weights[member.intent] += member.intent_confidence
    unanswered = sum(not member.answered for member in members)
    return Gap(
        count=len(members),
        languages=languages,
        unanswered=unanswered,
        unsolved=len(members) - unanswered,
        intent=max(weights, key=lambda label: weights[label]) if weights else None,
        examples=tuple(Example(_excerpt(member.text), member.language) for member in _spread(members, EXAMPLES)),
        nearest=_nearest(now, _spread(members, _ASKED), languages),
    )


def _spread(members: Sequence[OpenQuestion], count: int) -> list[OpenQuestion]:
    """At most `count` different questions near the middle, of as many languages as there are."""
    different = list({fold(member.text): member for member in reversed(members)}.values())[::-1]
    of_language = {member.language: member for member in reversed(different)}
    first = sorted(of_language.values(), key=different.index)
    return [*first, *(member for member in different if member not in first)][:count]


def _excerpt(text: str) -> str:
    whole = " ".join(text.split())
    return whole if len(whole) <= EXCERPT else f"{whole[: EXCERPT - 1]}…"


def _nearest(now: Snapshot, asked: Sequence[OpenQuestion], languages: Mapping[str, int]) -> Nearest | None:
    """The public article with the highest mean score over some questions of the cluster."""
    knowledge = now.knowledge
    _, questions = ask(now.pipeline, [Message(member.text, None, member.language) for member in asked])
    group_of = originals({article.id: article.translation_of for article in knowledge.articles.values()})
    totals: dict[str, float] = defaultdict(float)
    shown: dict[str, Passage] = {}
    for hits in knowledge.search(questions, 5):
        for hit in hits:
            group = group_of[hit.passage.article_id]
            totals[group] += hit.score
            shown.setdefault(group, hit.passage)
    if not totals:
        return None
    best = max(totals, key=lambda group: totals[group])
    found = _languages(knowledge, {identity for identity, group in group_of.items() if group == best})
    missing = [language for language in languages if language not in {*found, UNDETERMINED}]
    score = round(totals[best] / len(asked), 4)
    return Nearest(shown[best].article_id, shown[best].title, score, tuple(found), tuple(missing))


def _languages(knowledge: KnowledgeBase, ids: set[str]) -> list[str]:
    today = datetime.now(UTC).date()
    articles = [knowledge.articles[identity] for identity in ids]
    public = (a for a in articles if a.audience is Audience.PUBLIC and not a.draft and a.valid_on(today))
    return sorted({article.language for article in public})
