"""Which channel is best for a message: the model's share, moved by the desk's policy, every channel kept."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from triage.documents import Document
from triage.normalize import fold
from triage.types import ChannelAdvice, RankedChannel

STARTER = Path(__file__).parent / "starter" / "channels.yaml"

_HOURS = re.compile(r"\s*(\d\d:\d\d)\s*-\s*(\d\d:\d\d)\s*")


@dataclass(frozen=True, slots=True)
class Channel:
    """A way to reach the desk.

    Attributes:
        opens, closes: local times; both None means day and night.
        person: whether somebody of the desk answers there; a forum, say, is answered by other customers.
    """

    id: str
    base: float
    available: bool
    opens: time | None
    closes: time | None
    person: bool = True

    def is_open(self, local: time) -> bool:
        if not self.available or self.opens is None or self.closes is None:
            return self.available
        if self.opens <= self.closes:
            return self.opens <= local < self.closes
        return local >= self.opens or local < self.closes


@dataclass(frozen=True, slots=True)
class Rule:
    """Boosts for channels when every condition that is given holds."""

    reason: str
    boost: Mapping[str, float]
    intents: frozenset[str]
    urgencies: frozenset[str]
    mentions: tuple[str, ...]

    def matches(self, intent: str, urgency: str, text: str) -> bool:
        return (
            (not self.intents or intent in self.intents)
            and (not self.urgencies or urgency in self.urgencies)
            and (not self.mentions or any(words in text for words in self.mentions))
        )


@dataclass(frozen=True, slots=True)
class ChannelPolicy:
    version: str
    zone: ZoneInfo
    model_weight: float
    came_from_boost: float
    channels: tuple[Channel, ...]
    rules: tuple[Rule, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(channel.id for channel in self.channels)

    def reaching_people(self, advice: ChannelAdvice) -> tuple[RankedChannel, ...]:
        """The ranking of `advice`, scores and all, less the channels on which nobody of the desk answers."""
        people = {channel.id for channel in self.channels if channel.person}
        return tuple(ranked for ranked in advice.ranking if ranked.channel in people)

    def advise(
        self,
        text: str,
        *,
        shares: Mapping[str, float],
        intent: str,
        urgency: str,
        came_from: str | None,
        at: datetime,
    ) -> ChannelAdvice:
        """Rank every configured channel; the first open one is recommended.

        Args:
            shares: the model's probability per channel; a channel that it does not know counts as 0.
            intent, urgency: labels that the rules may use; empty where the model abstained.
            came_from: the channel on which the message arrived.
            at: the moment, with a time zone; opening hours are compared in the policy's own zone.
        """
        folded = fold(text)
        matching = [rule for rule in self.rules if rule.matches(intent, urgency, folded)]
        local = at.astimezone(self.zone).time()
        raw: dict[str, float] = {}
        reasons: dict[str, list[str]] = {}
        for channel in self.channels:
            share = shares.get(channel.id, 0.0)
            score = self.model_weight * share + (1 - self.model_weight) * channel.base
            why = [f"model: {share:.2f}"]
            for rule in matching:
                if boost := rule.boost.get(channel.id, 0.0):
                    score += boost
                    why.append(f"{rule.reason} ({boost:+.2f})")
            if channel.id == came_from:
                score += self.came_from_boost
                why.append(f"the customer is already here ({self.came_from_boost:+.2f})")
            if not channel.is_open(local):
                why.append(
                    f"open {channel.opens:%H:%M}–{channel.closes:%H:%M}" if channel.available else "not offered now"
                )
            raw[channel.id] = max(score, 0.001)
            reasons[channel.id] = why
        total = sum(raw.values())
        ranking = sorted(
            (
                RankedChannel(c.id, round(raw[c.id] / total, 4), c.is_open(local), tuple(reasons[c.id]))
                for c in self.channels
            ),
            key=lambda ranked: -ranked.score,
        )
        best = next((ranked.channel for ranked in ranking if ranked.available), None)
        return ChannelAdvice(best, tuple(ranking))


def load_policy(path: Path = STARTER) -> ChannelPolicy:
    """Read a policy file.

    Raises:
        BadConfiguration: with every mistake in the file.
    """
    top = ("name", "time_zone", "model_weight", "came_from_boost", "channels", "rules")
    document = Document(path, known=top)
    rows = document.rows("channels", known=("id", "base", "available", "open", "person"))
    ids = document.identities("channels", rows)
    if not ids:
        document.problems.append(f"{path}: has no channels")
    channels = []
    for identity, row in zip(ids, rows, strict=True):
        opens, closes = _hours(document, identity, row.get("open"))
        base = _number(document, f"base of {identity}", row.get("base", 0.05))
        available = document.choice(row, "available", (True, False), True)
        person = document.choice(row, "person", (True, False), True)
        channels.append(Channel(identity, base, available, opens, closes, person))
    rules = []
    for row in document.rows("rules", known=("reason", "when", "boost")):
        reason, when, boost = str(row.get("reason", "")), row.get("when") or {}, row.get("boost") or {}
        if not isinstance(when, dict) or not isinstance(boost, dict):
            document.problems.append(f"{path}: rule {reason!r}: when and boost should be mappings")
            continue
        place = f"rule {reason!r}"
        if unknown := sorted(str(key) for key in when.keys() - {"intent", "urgency", "mentions"}):
            document.problems.append(f"{path}: {place} has unknown conditions {', '.join(unknown)}")
        if strange := sorted(str(key) for key in boost.keys() - set(ids)):
            document.problems.append(f"{path}: {place} boosts {', '.join(strange)}, which is no channel")
        rules.append(
            Rule(
                reason,
                {channel: _number(document, f"boost of {channel}", value) for channel, value in boost.items()},
                frozenset(document.words(place, when, "intent")),
                frozenset(document.words(place, when, "urgency")),
                tuple(map(fold, document.words(place, when, "mentions"))),
            )
        )
    zone_name = str(document.content.get("time_zone", "UTC"))
    try:
        zone = ZoneInfo(zone_name)
    except (ZoneInfoNotFoundError, ValueError):
        document.problems.append(f"{path}: time_zone {zone_name!r} is unknown; name one like Asia/Bangkok")
        zone = ZoneInfo("UTC")
    weight = _number(document, "model_weight", document.content.get("model_weight", 0.6))
    boost_here = _number(document, "came_from_boost", document.content.get("came_from_boost", 0.0))
    document.finish()
    return ChannelPolicy(document.version, zone, weight, boost_here, tuple(channels), tuple(rules))


def _number(document: Document, name: str, value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and -1 <= value <= 1:
        return float(value)
    document.problems.append(f"{document.path}: {name} is {value!r}; it should be a number from -1 to 1")
    return 0.0


def _hours(document: Document, identity: str, value: object) -> tuple[time | None, time | None]:
    if value is None:
        return None, None
    try:
        written = _HOURS.fullmatch(str(value))
        opens, closes = (time.fromisoformat(part) for part in written.groups()) if written else (None, None)
    except ValueError:
        opens = closes = None
    if opens == closes:
        document.problems.append(
            f"{document.path}: {identity}: open is {value!r}; write it like 08:00-21:00, "
            "or leave it out for day and night"
        )
        return None, None
    return opens, closes
