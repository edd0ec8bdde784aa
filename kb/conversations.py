"""Conversations of a helpdesk from JSONL files, one a line; what cannot be read is named with its file and line."""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, cast

from kb.errors import BadConversation, NothingToImport
from kb.files import decoded

MAX_MESSAGE, MAX_MESSAGES = 20_000, 1_000
"""Code points of a message, and messages of a conversation."""


class Sender(StrEnum):
    CUSTOMER = "customer"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Turn:
    """`name` is the sender's, where the helpdesk says it."""

    sender: Sender
    text: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """The messages about one matter, in their order."""

    id: str
    resolved: bool
    turns: tuple[Turn, ...]
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Conversations:
    """`problems` has a line for each conversation that is left out, with its place."""

    conversations: tuple[Conversation, ...]
    problems: tuple[str, ...] = ()


def read_conversations(paths: Sequence[Path], *, keep_going: bool = False) -> Conversations:
    """Read every conversation of `.jsonl` files, each also `.gz`, or nothing at all.

    Args:
        keep_going: leave out what is bad, and name it in the result.

    Raises:
        NothingToImport: for a path that is missing or of another kind, or when there is no conversation.
        BadConversation: with every problem found, so that one run shows all there is to mend.
    """
    found: dict[str, Conversation] = {}
    places: dict[str, str] = {}
    problems: list[str] = []
    for path in paths:
        for place, row in _rows(path):
            try:
                if isinstance(row, ValueError):
                    raise row
                conversation = _conversation(row)
                if conversation.id in places:
                    raise ValueError(f"id {conversation.id!r} is already taken by {places[conversation.id]}")
            except ValueError as error:
                problems.append(f"{place}: {error}")
            else:
                found[conversation.id], places[conversation.id] = conversation, place
    if problems and not keep_going:
        raise BadConversation(problems)
    if paths and not found:
        left_out = "".join(f"\n{problem}" for problem in problems)
        raise NothingToImport(f"No conversation in {', '.join(map(str, paths))}: write one a line.{left_out}")
    return Conversations(tuple(found.values()), tuple(problems))


def _rows(path: Path) -> Iterator[tuple[str, Any]]:
    if not path.is_file():
        raise NothingToImport(f"{path} is no file. Name .jsonl files of conversations, each may end in .gz.")
    if not path.name.lower().endswith((".jsonl", ".jsonl.gz")):
        raise NothingToImport(f"{path} is neither .jsonl nor .jsonl.gz; write one conversation a line.")
    number = 0
    try:
        with _opened(path) as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield f"{path}, line {number}", _json(line)
    except (OSError, EOFError, zlib.error) as error:
        reason = f"cannot be read on ({error}). It is damaged or was cut off; export or copy it again"
        yield f"{path}, line {number + 1}", ValueError(reason)


def _opened(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path)) if path.name.lower().endswith(".gz") else path.open("rb")


def _json(line: bytes) -> Any:
    try:
        return json.loads(decoded(line))
    except (ValueError, RecursionError) as error:
        return error if str(error).startswith("is not") else ValueError(f"is not JSON ({error})")


def _conversation(row: Any) -> Conversation:
    """
    Raises:
        ValueError: that names what is wrong.
    """
    if not isinstance(row, Mapping):
        raise ValueError(f"should be an object with id, resolved and messages, and is {type(row).__name__}")
    identity = row.get("id")
    if isinstance(identity, bool) or not isinstance(identity, str | int) or not 1 <= len(str(identity)) <= 200:
        raise ValueError(f"id should be 1 to 200 characters, and is {_shown(identity)}")
    resolved, channel, messages = row.get("resolved"), row.get("channel"), row.get("messages")
    if not isinstance(resolved, bool):
        raise ValueError(f"resolved should be true or false, and is {_shown(resolved)}")
    if channel is not None and not isinstance(channel, str):
        raise ValueError(f"channel should be a word, and is {_shown(channel)}")
    if not isinstance(messages, list) or not messages:
        raise ValueError("messages should be a list of at least one message")
    if len(messages) > MAX_MESSAGES:
        raise ValueError(f"has {len(messages):,} messages; the limit is {MAX_MESSAGES:,}. Split it")
    turns = [_turn(number, message) for number, message in enumerate(messages, 1)]
    return Conversation(str(identity), resolved, tuple(turn for turn in turns if turn.text), channel)


def _turn(number: int, message: Any) -> Turn:
    if not isinstance(message, Mapping):
        raise ValueError(f"message {number} should be an object with from and text, and is {type(message).__name__}")
    sender, text, name = message.get("from"), message.get("text"), message.get("name")
    if sender not in list(Sender):
        raise ValueError(f"message {number}: from should be customer or agent, and is {_shown(sender)}")
    # Of a picture alone helpdesks export no text.
    if text is not None and not isinstance(text, str):
        raise ValueError(f"message {number}: text should be a string, and is {type(text).__name__}")
    if text and len(text) > MAX_MESSAGE:
        raise ValueError(f"message {number} has {len(text):,} characters; the limit is {MAX_MESSAGE:,}")
    if name is not None and not isinstance(name, str):
        raise ValueError(f"message {number}: name should be a string, and is {type(name).__name__}")
    return Turn(Sender(sender), (text or "").strip(), (name or "").strip())


def _shown(value: Any) -> str:
    """A value as long as a name; of others, which may be the customer's words, only the kind."""
    if value is None:
        return "missing"
    short = isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) <= 40)
    return repr(value) if short else f"a {type(value).__name__}"
