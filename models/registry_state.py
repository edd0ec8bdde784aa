"""What a desk has promoted, what runs in shadow and what its tasks may do: a history, and what follows from it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from models.errors import RegistryError

FORMAT = 1
STARTER_NAME = "starter"


class TaskMode(StrEnum):
    """What a desk lets the labels of a task do: be written by the helpdesk, be shown, be recorded only, or nothing."""

    AUTOFILL = "autofill"
    RECOMMEND = "recommend"
    MONITOR = "monitor"
    OFF = "off"


class ChangeKind(StrEnum):
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    SHADOW = "shadow"
    MODE = "mode"


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the history.

    Attributes:
        before, after: bundle references, or modes of `task`; empty where a shadow began or ended.
        task: of a change of mode, and empty otherwise.
        forced: promoted although the gate refused.
    """

    kind: ChangeKind
    before: str
    after: str
    at: datetime
    who: str
    reason: str = ""
    forced: bool = False
    task: str = ""


@dataclass(frozen=True, slots=True)
class RegistryState:
    """What a history has led to.

    Attributes:
        live: the reference that serves; the shipped bundle where nothing was ever promoted.
        earlier: what a rollback leads back to, the latest last.
    """

    live: str = STARTER_NAME
    shadow: str | None = None
    modes: Mapping[str, TaskMode] = field(default_factory=dict)
    earlier: tuple[str, ...] = ()
    history: tuple[Change, ...] = ()

    @property
    def revision(self) -> int:
        """Counts the changes."""
        return len(self.history)

    def mode(self, task: str) -> TaskMode:
        return self.modes.get(task, TaskMode.RECOMMEND)

    def then(self, change: Change) -> "RegistryState":
        """The state after one more change."""
        return replace(self._after(change), history=(*self.history, change))

    def _after(self, change: Change) -> "RegistryState":
        new = self
        match change.kind:
            case ChangeKind.PROMOTED:
                new = replace(new, live=change.after, earlier=(*self.earlier, change.before))
            case ChangeKind.ROLLED_BACK:
                new = replace(new, live=change.after, earlier=self.earlier[:-1])
            case ChangeKind.SHADOW:
                new = replace(new, shadow=change.after or None)
            case ChangeKind.MODE:
                new = replace(new, modes={**self.modes, change.task: TaskMode(change.after)})
        # A bundle that serves has nothing left to show beside itself.
        return replace(new, shadow=None) if new.shadow == new.live else new


def dump(state: RegistryState) -> bytes:
    """The history as JSON: all that needs to be kept, since the rest follows from it."""
    history = [
        {
            "at": change.at.isoformat(timespec="seconds"),
            "who": change.who,
            "kind": change.kind.value,
            **({"task": change.task} if change.task else {}),
            "before": change.before,
            "after": change.after,
            "reason": change.reason,
            **({"forced": True} if change.forced else {}),
        }
        for change in state.history
    ]
    text = json.dumps({"format": FORMAT, "history": history}, ensure_ascii=False, indent=1)
    return f"{text}\n".encode()


def parse(content: bytes) -> RegistryState:
    """The state that `dump` wrote.

    Raises:
        RegistryError: saying what is wrong with it, for a message that names the file.
    """
    try:
        document: Any = json.loads(content)
        if document["format"] != FORMAT:
            raise RegistryError(f"it has format {document['format']!r}, and this version of Frontdesk reads {FORMAT}")
        state, history = RegistryState(), tuple(map(_change, document["history"]))
        for change in history:
            state = state._after(change)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RegistryError(f"it is damaged ({error!r:.100})") from error
    return replace(state, history=history)


def _change(row: Mapping[str, Any]) -> Change:
    texts = {name: row[name] for name in ("before", "after", "who", "reason")}
    texts["task"] = row.get("task", "")
    if wrong := [name for name, value in texts.items() if not isinstance(value, str)]:
        raise TypeError(f"{wrong[0]} is not a text")
    at = datetime.fromisoformat(row["at"])
    return Change(ChangeKind(row["kind"]), at=at, forced=bool(row.get("forced")), **texts)
