"""Questions in any language find passages in any language.

A row of the index is a window of a passage, a sentence or two, the title or a tag, to which the passage's vector is
added, and beside them stand the intents of its title under the bundle. A question is the same row made from one vector,
so that a single inner product weighs all three; a passage counts by its best window. What words are shared is added to
that, and what an article in other languages alone cannot share is lent to it: the mean of those that the customer can
read.
Every text is centred on the mean of its language and side (question or passage): without that a language is closer to
itself than to the right answer in another. Figures: `benchmarks/README.md`.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
from numpy.typing import NDArray

from kb.index import Index
from kb.lexical import LexicalIndex
from kb.passages import Passage
from kb.translations import originals
from kb.types import Article, Audience, Macro
from models.bundle import Bundle
from models.languages import UNDETERMINED
from models.types import Encoder, Vectors
from models.vectors import unit

TITLE_WEIGHT, TAG_WEIGHT, TEXT_WEIGHT, INTENT_WEIGHT, LEXICAL_WEIGHT = 0.9, 0.8, 0.5, 0.45, 1.0
SAME_LANGUAGE = 0.02
"""Decides between the languages of one article."""
FOREIGN = 2
"""The distance of languages that have nothing in common."""
_CEILING = 1 + TEXT_WEIGHT + INTENT_WEIGHT + LEXICAL_WEIGHT + SAME_LANGUAGE
EXTRACT = 1_200
_CANDIDATES, _BY_WORDS = 128, 16
"""Windows that are nearest, and passages that share most words, of which the best are chosen."""
_ENOUGH = 8
"""Texts of a language from which on its own mean outweighs the mean that stands in for it."""
_OWN_DOMAIN = 0.5
"""How far questions are centred on what this knowledge base is about, and not on what the bundle was trained on."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question as the rest of the program has read it already.

    Attributes:
        text: normalised.
        vector: the encoder's, shape (dimension,).
        language: BCP 47.
        intents: the probability of each intent; empty when the bundle has no such task.
    """

    text: str
    vector: Vectors
    language: str
    intents: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Embedded:
    """What the encoder and the bundle made of passages and macros, before anything is centred.

    Attributes:
        windows: shape (windows, dimension), those of a passage one after another.
        window_of: shape (windows,), ascending: the passage that each is of.
        texts, titles: shape (passages, dimension); titles are encoded as questions.
        tags: shape (tags, dimension), encoded as questions.
        tag_of: shape (tags,), ascending: the passage that each is of.
        intents: shape (passages, intents), the probabilities for each title; 0 for intents that no article is about.
        macros: shape (macros, dimension).
    """

    windows: Vectors
    window_of: NDArray[np.int64]
    texts: Vectors
    titles: Vectors
    tags: Vectors
    tag_of: NDArray[np.int64]
    intents: NDArray[np.float32]
    macros: Vectors


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a hit, each about 0 to 1; `lead` is the distance to the next best other article."""

    text: float
    intents: float
    lexical: float
    lead: float


@dataclass(frozen=True, slots=True)
class Hit:
    passage: Passage
    score: float
    evidence: Evidence


class KnowledgeBase:
    """Articles and macros of one version, with their index. Immutable: a new version is a new object.

    Args:
        index: makes the index of the rows.

    Attributes:
        digest: sixteen hex digits of all that questions are compared with: equal digests, equal hits.
    """

    def __init__(
        self,
        *,
        version: str,
        articles: Mapping[str, Article],
        passages: Sequence[Passage],
        macros: Sequence[Macro],
        embedded: Embedded,
        encoder: Encoder,
        bundle: Bundle,
        index: Callable[[Vectors], Index] = Index,
    ) -> None:
        self.version, self.articles, self.passages, self.macros = version, articles, passages, macros
        languages = [passage.language for passage in passages]
        self._languages = languages
        original = originals({article.id: article.translation_of for article in articles.values()})
        groups = [original[passage.article_id] for passage in passages]
        names = {group: number for number, group in enumerate(dict.fromkeys(groups))}
        self._group_of = np.array([names[group] for group in groups], np.int64)
        by_group = np.argsort(self._group_of, kind="stable")
        self._members = np.split(by_group, np.searchsorted(self._group_of[by_group], np.arange(1, len(names))))
        self._translated = np.array([articles[p.article_id].translation_of is not None for p in passages], np.bool_)
        self._distances: dict[str, NDArray[np.int64]] = {}
        self._by_article: dict[str, list[Passage]] = defaultdict(list)
        for passage in passages:
            self._by_article[passage.article_id].append(passage)
        self._valid: tuple[date | None, NDArray[np.bool_]] = None, np.zeros(0, np.bool_)
        self._public = np.array([passage.audience is Audience.PUBLIC for passage in passages], np.bool_)
        self._centers = _question_centers(bundle, embedded.titles, languages)
        fallback = bundle.language_centers.get(UNDETERMINED, bundle.scale.center)
        self.macro_vectors = _centred(embedded.macros, [macro.language for macro in macros], fallback)
        head = bundle.heads.get("intent")
        self._labels = head.labels if head else ()
        # The title is one more window of an article's first passage: questions and answers have the question there.
        # So is each tag: what customers call the matter, in words that the article need not have.
        first = np.flatnonzero([passage.number == 0 for passage in passages])
        titles = TITLE_WEIGHT * self._centred_questions(embedded.titles[first], [languages[at] for at in first])
        tags = TAG_WEIGHT * self._centred_questions(embedded.tags, [languages[at] for at in embedded.tag_of])
        windows = _centred(embedded.windows, [languages[at] for at in embedded.window_of], fallback)
        window_of = np.concatenate([embedded.window_of, first, embedded.tag_of])
        order = np.argsort(window_of, kind="stable")
        self._window_of = window_of[order]
        self._starts = np.searchsorted(self._window_of, np.arange(len(passages) + 1))
        texts = TEXT_WEIGHT * _centred(embedded.texts, languages, fallback)[self._window_of]
        # Where the bundle was trained on other things than these articles are about, its intents would only mislead.
        covered = float(embedded.intents.sum(axis=1).mean()) if passages else 0.0
        intents = INTENT_WEIGHT * covered * np.sqrt(embedded.intents)[self._window_of]
        rows = np.hstack([np.vstack([windows, titles, tags])[order] + texts, intents])
        self._index = index(rows) if passages else None
        self.digest = _digest(rows, passages)
        self._lexical = LexicalIndex([p.indexed for p in passages], encoder) if passages else None

    @property
    def has_internal(self) -> bool:
        return not self._public.all()

    def search(
        self,
        questions: Sequence[Question],
        top_k: int,
        *,
        audience: Audience = Audience.PUBLIC,
        day: date | None = None,
    ) -> list[list[Hit]]:
        """The best passage of each of the `top_k` best articles, translations counted as one article.

        Args:
            audience: PUBLIC finds public articles only; INTERNAL finds both.
            day: finds what is valid then; by default today, by the clock of UTC.
        """
        if self._index is None or self._lexical is None or not questions:
            return [[] for _ in questions]
        centred = self._centred_questions(np.stack([q.vector for q in questions]), [q.language for q in questions])
        # Square roots, so that a question and a title with the same intents have the product 1, however many they are.
        shares = np.sqrt([[q.intents.get(label, 0.0) for label in self._labels] for q in questions], dtype=np.float32)
        shares = shares.reshape(len(questions), len(self._labels))
        allowed = self._valid_on(day or datetime.now(UTC).date())
        if audience is Audience.PUBLIC:
            allowed = allowed & self._public
        rows = np.hstack([centred, shares])
        near = self._index.nearest(rows, _CANDIDATES, allowed[self._window_of]).rows
        # Words one question at a time: the scores of all passages for hundreds would fill the memory.
        return [
            self._ranked(question, top_k, rows[at], near[at], self._lexical.scores([question.text])[0], allowed)
            for at, question in enumerate(questions)
        ]

    def extract(self, passage: Passage) -> str:
        """What to quote for a passage: itself and its neighbours in the article, up to `EXTRACT` characters.

        A help article is read as a whole: steps without their exceptions, or the reverse, would mislead.
        """
        article = self._by_article[passage.article_id]
        first = last = passage.number
        size = len(passage.text)
        for step in (-1, 1) * len(article):
            at = first - 1 if step < 0 else last + 1
            if 0 <= at < len(article) and size + len(article[at].text) <= EXTRACT:
                size += len(article[at].text)
                first, last = min(first, at), max(last, at)
        blocks = []
        for number in range(first, last + 1):
            part = article[number]
            new_section = part.heading and (number == first or article[number - 1].heading != part.heading)
            blocks.append(f"## {part.heading}\n{part.text}" if new_section and first != last else part.text)
        return "\n\n".join(blocks)

    def centred_question(self, question: Question) -> Vectors:
        """The question's vector in the space of `macro_vectors`."""
        row: Vectors = self._centred_questions(question.vector[None], [question.language])[0]
        return row

    def _ranked(
        self,
        question: Question,
        top_k: int,
        query: Vectors,
        near: NDArray[np.int64],
        lexical: NDArray[np.float32],
        allowed: NDArray[np.bool_],
    ) -> list[Hit]:
        distances = self._distances_to(question.language)
        by_words = lexical * allowed
        likely = np.argpartition(-by_words, min(_BY_WORDS, len(by_words) - 1))[:_BY_WORDS]
        rows = np.union1d(self._window_of[near[near >= 0]], likely[by_words[likely] > 0])
        groups, place_of = np.unique(self._group_of[rows], return_inverse=True)
        members = [self._members[group] for group in groups]
        near_enough = allowed & (distances < FOREIGN)
        readable = np.array([near_enough[own].any() for own in members], np.bool_)
        words = _with_words_lent(rows, place_of, readable, by_words)
        best = np.full(len(groups), -np.inf)
        np.maximum.at(best, place_of, self._scores(rows, query, words, distances))
        order = np.argsort(-best, kind="stable")[: top_k + 1]
        found = [*best[order], 0.0]
        return [
            self._hit(members[at], query, by_words, distances, allowed, found[place : place + 2])
            for place, at in enumerate(order[:top_k])
        ]

    def _scores(
        self, rows: NDArray[np.int64], query: Vectors, by_words: NDArray[np.float32], distances: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Of passages, from 0 to 1; each by its best window."""
        if not len(rows):
            return np.zeros(0)
        sizes = self._starts[rows + 1] - self._starts[rows]
        ends = np.cumsum(sizes)
        windows = np.arange(ends[-1]) + np.repeat(self._starts[rows] - ends + sizes, sizes)
        assert self._index is not None
        dense = np.maximum.reduceat(self._index.rows(windows) @ query, ends - sizes)
        total: NDArray[np.float64] = dense + LEXICAL_WEIGHT * by_words[rows] + SAME_LANGUAGE * (distances[rows] == 0)
        return total / _CEILING

    def _hit(
        self,
        members: NDArray[np.int64],
        query: Vectors,
        by_words: NDArray[np.float32],
        distances: NDArray[np.int64],
        allowed: NDArray[np.bool_],
        scores: Sequence[float],
    ) -> Hit:
        """The article's best passage in the language nearest to the customer's; `scores` are its own and the next."""
        open_members = members[allowed[members]]
        nearest = open_members[distances[open_members] == distances[open_members].min()]
        row = nearest[np.argmax(self._scores(nearest, query, by_words, distances))]
        lead = scores[0] - max(scores[1], 0.0)
        evidence = Evidence(*(round(float(part), 4) for part in (*self._closeness(row, query), by_words[row], lead)))
        return Hit(self.passages[row], round(float(scores[0]), 4), evidence)

    def _closeness(self, passage: int, query: Vectors) -> tuple[float, float]:
        """Of the text and of the intents, each about 0 to 1."""
        assert self._index is not None
        rows = self._index.rows(np.arange(self._starts[passage], self._starts[passage + 1]))
        split = len(query) - len(self._labels)
        text, intents = rows[:, :split] @ query[:split], rows[0, split:] @ query[split:]
        return float(text.max()) / (1 + TEXT_WEIGHT), float(intents) / INTENT_WEIGHT

    def _valid_on(self, day: date) -> NDArray[np.bool_]:
        """Which passages are found on a day; made once a day."""
        seen, valid = self._valid
        if day != seen:
            valid = np.array([self.articles[p.article_id].valid_on(day) for p in self.passages], np.bool_)
            self._valid = day, valid
        return valid

    def _distances_to(self, language: str) -> NDArray[np.int64]:
        if language not in self._distances:
            found = np.array([language_distance(own, language) for own in self._languages])
            if language != UNDETERMINED:
                # Who has to read a foreign language reads the text that was written in it, and no translation of that.
                found += self._translated & (found == FOREIGN)
            self._distances[language] = found
        return self._distances[language]

    def _centred_questions(self, vectors: Vectors, languages: Sequence[str]) -> Vectors:
        if not len(vectors):
            return vectors
        other = self._centers[UNDETERMINED]
        return unit(vectors - np.stack([self._centers.get(language, other) for language in languages]))


def language_distance(language: str, wanted: str) -> int:
    """0 for the same language, 1 for the same in another script or region (zh-Hans, zh-Hant), else `FOREIGN`."""
    if language == wanted:
        return 0
    return 1 if language.split("-")[0] == wanted.split("-")[0] else FOREIGN


def _with_words_lent(
    rows: NDArray[np.int64],
    place_of: NDArray[np.intp],
    readable: NDArray[np.bool_],
    by_words: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Words shared, for ranking `rows`: articles in other languages alone have the mean of the others at least.

    Without that, a neighbouring topic in the customer's language comes before the right one in another.

    Args:
        place_of: the number of each row's article; the best of its rows counts.
        readable: of these articles, whether there is a text in the customer's language or in its other script.
        by_words: of all passages.
    """
    if readable.all() or not readable.any():
        return by_words
    best = np.zeros(len(readable), np.float32)
    np.maximum.at(best, place_of, by_words[rows])
    foreign = rows[~readable[place_of]]
    lent = by_words.copy()
    lent[foreign] = np.maximum(by_words[foreign], best[readable].mean())
    return lent


def _digest(rows: Vectors, passages: Sequence[Passage]) -> str:
    content = hashlib.sha256(np.ascontiguousarray(rows).data)
    for passage in passages:
        content.update(f"{passage.id}\0{passage.indexed}\0".encode("utf-8", "replace"))
    return content.hexdigest()[:16]


def _question_centers(bundle: Bundle, titles: Vectors, languages: Sequence[str]) -> Mapping[str, Vectors]:
    """The mean of questions in each language, if they were about what this knowledge base is about.

    The bundle knows the mean of its training messages. Titles are much like questions about the articles, and how far
    they are from those messages, less the difference of languages, is about how far the questions will be.
    """
    fallback = bundle.language_centers.get(UNDETERMINED, bundle.scale.center)
    centers = {UNDETERMINED: fallback, **bundle.language_centers}
    if not languages:
        return centers
    away = titles - np.stack([centers.get(code, fallback) for code in languages])
    shift = _OWN_DOMAIN * away.sum(axis=0) / (len(away) + _ENOUGH)
    return {code: center + shift for code, center in centers.items()}


def _centred(vectors: Vectors, languages: Sequence[str], prior: Vectors) -> Vectors:
    """Each text less the mean of its language; a mean of few texts leans on that of all, and that on `prior`."""
    overall = _mean(vectors, prior)
    centred = vectors - overall
    names = np.array(languages)
    for language in set(languages):
        rows = names == language
        centred[rows] = vectors[rows] - _mean(vectors[rows], overall)
    return unit(centred)


def _mean(vectors: Vectors, prior: Vectors) -> Vectors:
    mean: Vectors = (vectors.sum(axis=0) + _ENOUGH * prior) / (len(vectors) + _ENOUGH)
    return mean
