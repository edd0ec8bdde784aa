"""Reply candidates out of resolved conversations: what agents answered more than once, without the people in it.

Nothing here knows a language's phrases for "thank you" or "one moment": what a reply says is judged by its length, by
what triage makes of it, and by how close it is to its request. Vectors are centred on the mean of their language.
"""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kb.conversations import Conversation, Sender
from kb.names import CUSTOMER, capitalised, without_names
from models.types import Vectors
from models.vectors import unit

SAME = 0.65
"""Cosine of two centred replies of one language from which on they say the same."""
MIN_COUNT = 2
"""Conversations in which a reply was given before it is a candidate: what was said once was said to one person."""
EXAMPLES, INTENTS = 3, 3
MAX_REPLY, MAX_EXAMPLE, MAX_TITLE = 4_000, 500, 60
"""Code points."""

_SHORT, _LONG = 40, 120
"""Letters below which a reply says nothing, and from which on it need not be close to its request."""
_SMALL_TALK, _TO_THE_MATTER, _CLOSE = 0.5, 0.1, 0.1
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_LETTERS_A_CHARACTER = 2.5
_SHARE_WORTH_NAMING = 0.1
_SHARED, _AT_LEAST = 0.2, 2
"""The share of a group's conversations, and how many, that have a word before it is no detail of one customer's."""
_BLOCK = 4096
_PRIOR = 8

_PLACEHOLDER = re.compile(r"\{\{[^{}]*\}\}")
_CARD = re.compile(r"(?<![\w{])(?:[*xX•·]{2,}[ -]?){1,4}\d{4}(?!\d)|(?<![\d-])(?:\d[ -]?){12,18}\d(?!\d)")
_REFERENCE = re.compile(r"(?<![\w{])(?=[A-Za-z-]*\d)(?=\d*[A-Za-z])(?=(?:[A-Za-z-]*\d){4})[A-Za-z\d][A-Za-z\d-]{4,}")
_MANY_DIGITS = re.compile(r"\d(?:[ .\-–()\u00a0]?\d){4,}")
_NUMBER = re.compile(r"(?<![\w{])\d{3,}(?!\w)")
_CODE = re.compile(r"(?<![\w{])(?=[A-Z]*\d)(?=\d*[A-Z])[A-Z\d]{4,}(?![a-z])")
_HAN_HEAD = re.compile(r"\A[\u4e00-\u9fff]{2,4}(?=[，,！!])")
_SENTENCE_END = re.compile(r"(?<=[。！？])|(?<=[.!?…])\s|\n|(?<=ค่ะ) |(?<=ครับ) ")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Slot:
    """A span of a text that gives way to a placeholder."""

    start: int
    end: int
    placeholder: str


FindSlots = Callable[[str], Sequence[Slot]]
"""What names somebody or something of one customer's: numbers, addresses, links."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and what an agent answered before the customer wrote again.

    Attributes:
        names: of the people in the conversation, as far as the helpdesk says them.
    """

    conversation: str
    request: str
    replies: tuple[str, ...]
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Read:
    """A text as triage and the encoder read it.

    Attributes:
        vector: centred on its language.
        small_talk: the probability that nothing needs to be done about it.
        intents: the probability of each intent that is a matter.
    """

    text: str
    language: str
    vector: Vectors
    small_talk: float
    intents: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Said:
    """A reply without personal data, and the request that it was given to."""

    conversation: str
    request: Read
    reply: Read

    @property
    def id(self) -> str:
        """A digest by which the reply is known again: of its conversation and of what is left of it."""
        return digest(self.conversation, self.reply.text)


@dataclass(frozen=True, slots=True)
class Mined:
    """A candidate: `said` are the replies behind it, the one that became its text first."""

    language: str
    text: str
    title: str
    intents: Mapping[str, float]
    said: tuple[Said, ...]

    @property
    def id(self) -> str:
        return candidate_id(self.language, self.text)


def digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]


def candidate_id(language: str, text: str) -> str:
    """The same for texts that differ in case and spaces alone."""
    return digest(language, " ".join(text.casefold().split()))[:16]


def centred(vectors: Vectors, languages: Sequence[str], centers: Mapping[str, Vectors], fallback: Vectors) -> Vectors:
    """`vectors` of replies about the mean of their language, as far as there are enough, and of length 1.

    Args:
        centers: the mean of each language's messages, which stands in where there are few replies.
    """
    moved: Vectors = vectors.copy()
    names = np.array(languages)
    for language in set(languages):
        rows = names == language
        prior = centers.get(language, fallback)
        moved[rows] -= (vectors[rows].sum(axis=0) + _PRIOR * prior) / (rows.sum() + _PRIOR)
    return unit(moved)


def exchanges(conversation: Conversation) -> Iterator[Exchange]:
    """The requests of a resolved conversation with their replies.

    Customers write in fragments: a turn too short to be a request takes what was written before it along.
    """
    if not conversation.resolved:
        return
    names = tuple(dict.fromkeys(turn.name for turn in conversation.turns if turn.name))
    asked: list[str] = []
    request, replies = "", list[str]()
    for turn in conversation.turns:
        if turn.sender is Sender.CUSTOMER:
            if replies:
                yield Exchange(conversation.id, request, tuple(replies), names)
                asked, replies = ([request] if length(turn.text) < _SHORT else []), []
            asked.append(turn.text)
            request = "\n".join(asked)
        elif request:
            replies.append(turn.text)
    if replies:
        yield Exchange(conversation.id, request, tuple(replies), names)


def masked(text: str, find: FindSlots, names: Sequence[str] = ()) -> str | None:
    """`text` with placeholders for what is one customer's; None where a long number is left, or an address."""
    text = _replaced(text, [Slot(*found.span(), "{{card_number}}") for found in _CARD.finditer(text)])
    text = without_names(_replaced(text, find(text)), names)
    text = _REFERENCE.sub("{{reference}}", text)
    return None if _MANY_DIGITS.search(text) or "@" in text else text


def example(text: str, find: FindSlots, names: Sequence[str] = ()) -> str:
    """A customer's request to show to a reviewer: shortened, with placeholders as far as they are certain."""
    text = _replaced(text, find(text))
    for name in names:
        text = text.replace(name, CUSTOMER)
    return text if len(text) <= MAX_EXAMPLE else f"{text[: MAX_EXAMPLE - 1]}…"


def plain(text: str) -> str:
    """`text` without its placeholders, as encoders and triage should read it."""
    return " ".join(_PLACEHOLDER.sub(" ", text).split())


def length(text: str) -> float:
    """The letters and digits of a text; a character of Chinese says as much as two and a half of an alphabet."""
    bare = plain(text)
    dense = len(_DENSE.findall(bare))
    return sum(map(str.isalnum, bare)) + (_LETTERS_A_CHARACTER - 1) * dense


def says_something(request: Read, reply: Read) -> bool:
    """Whether a reply says what could be said again: no greeting, no thanks, no "let me look into it"."""
    size = length(reply.text)
    if size < _SHORT or size > MAX_REPLY or reply.small_talk >= _SMALL_TALK * max(1.0, min(size / _LONG, 1.9)):
        return False
    agreement = sum(min(share, reply.intents.get(intent, 0.0)) for intent, share in request.intents.items())
    return size >= _LONG or agreement >= _TO_THE_MATTER or float(request.vector @ reply.vector) >= _CLOSE


def nearest(said: Sequence[Said], texts: Vectors) -> list[int | None]:
    """For each reply the row of `texts` that says the same and is closest; None where there is none."""
    if not len(texts):
        return [None] * len(said)
    found: list[int | None] = []
    for start in range(0, len(said), _BLOCK):
        cosines = np.stack([one.reply.vector for one in said[start : start + _BLOCK]]) @ texts.T
        best = cosines.argmax(axis=1)
        found += [int(at) if row[at] >= SAME else None for at, row in zip(best, cosines, strict=True)]
    return found


def mine(said: Sequence[Said], *, min_count: int = MIN_COUNT) -> list[Mined]:
    """The candidates among replies, the most frequent first; the order of `said` makes no difference."""
    by_language: dict[str, list[Said]] = defaultdict(list)
    for one in sorted(said, key=lambda one: (one.reply.text, one.conversation, one.request.text)):
        by_language[one.reply.language].append(one)
    found: dict[str, Mined] = {}
    for language, ours in sorted(by_language.items()):
        for group in _groups(ours):
            if len({one.conversation for one in group}) >= min_count:
                candidate = _candidate(language, group)
                found.setdefault(candidate.id, candidate)
    return sorted(found.values(), key=lambda one: (-len(one.said), one.id))


def intent_shares(requests: Sequence[Read]) -> dict[str, float]:
    """The likeliest intents of requests, one to three, each with its mean probability."""
    totals: Counter[str] = Counter()
    for request in requests:
        totals.update(request.intents)
    best = [(intent, round(total / len(requests), 4)) for intent, total in totals.most_common(INTENTS)]
    return {intent: share for at, (intent, share) in enumerate(best) if at == 0 or share >= _SHARE_WORTH_NAMING}


def title_of(text: str) -> str:
    """The first sentence of a reply that says enough, shortened."""
    sentences = [plain(part).strip(" ,，") for part in _SENTENCE_END.split(text)]
    first = next((part for part in sentences if length(part) >= _SHORT / 2), plain(text))
    return first if len(first) <= MAX_TITLE else f"{first[: MAX_TITLE - 1].rstrip()}…"


def _replaced(text: str, slots: Sequence[Slot]) -> str:
    for slot in sorted(slots, key=lambda slot: -slot.start):
        text = f"{text[: slot.start]}{slot.placeholder}{text[slot.end :]}"
    return text


def _groups(said: Sequence[Said]) -> list[list[Said]]:
    """Replies of one language that say the same. Those given most often lead; each other joins the closest leader."""
    by_text: dict[str, list[Said]] = defaultdict(list)
    for one in said:
        by_text[one.reply.text].append(one)
    texts = sorted(by_text, key=lambda text: (-len(by_text[text]), text))
    leaders: list[str] = []
    vectors = np.zeros((16, len(by_text[texts[0]][0].reply.vector)), np.float32)
    groups: dict[str, list[Said]] = {}
    for text in texts:
        vector = by_text[text][0].reply.vector
        cosines = vectors[: len(leaders)] @ vector
        if leaders and cosines.max() >= SAME:
            groups[leaders[int(cosines.argmax())]] += by_text[text]
            continue
        if len(leaders) == len(vectors):
            vectors = np.vstack([vectors, np.zeros_like(vectors)])
        vectors[len(leaders)] = vector
        leaders.append(text)
        groups[text] = list(by_text[text])
    return list(groups.values())


def _candidate(language: str, group: Sequence[Said]) -> Mined:
    mean = np.mean([one.reply.vector for one in group], axis=0)
    central = sorted(group, key=lambda one: (-round(float(one.reply.vector @ mean), 5), len(one.reply.text)))
    text = _without_details(central[0].reply.text, group)
    return Mined(language, text, title_of(text), intent_shares([one.request for one in group]), tuple(central))


def _without_details(text: str, group: Sequence[Said]) -> str:
    """Names, numbers and codes that other conversations of the group do not have are of one customer."""
    conversations: dict[str, set[str]] = defaultdict(set)
    for one in group:
        for word in _WORD.findall(one.reply.text):
            conversations[word.casefold()].add(one.conversation)
    enough = max(_AT_LEAST, _SHARED * len({one.conversation for one in group}))

    def is_shared(words: str) -> bool:
        return all(len(conversations[word.casefold()]) >= enough for word in _WORD.findall(words))

    heads = Counter(head[0] for one in group if (head := _HAN_HEAD.search(one.reply.text)))
    spans = [Slot(*found.span(), "{{reference}}") for found in _CODE.finditer(text)]
    spans += [Slot(*found.span(), "{{number}}") for found in _NUMBER.finditer(text)]
    taken = [(slot.start, slot.end) for slot in spans]
    spans += [Slot(start, end, "{{name}}") for start, end in capitalised(text) if (start, end) not in taken]
    slots = [slot for slot in spans if not is_shared(text[slot.start : slot.end])]
    if (head := _HAN_HEAD.search(text)) and heads[head[0]] < enough:
        slots.append(Slot(*head.span(), CUSTOMER))
    return _replaced(text, slots)
