"""Messages to be labelled, in a file that Label Studio and Argilla both read, and what they give back.

Every entry says its things twice, and each program passes over what is the other's: `data` and `predictions` are Label
Studio's, `fields`, `metadata` and `suggestions` are Argilla's. Both need to be told of tasks and labels too: the one by
a labelling configuration, the other by the settings of a dataset. Tried on Label Studio 1.23 and Argilla 2.8.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from models.bundle import Bundle
from models.heads import Head
from training.columns import BadRow, Columns, Fault, is_missing
from training.data import Problem
from training.errors import BadTrainingData
from training.labelling import Candidate
from training.readers import read_rows

MESSAGE = "message"
"""What the text is called, and what is known of it begins with: neither may be called like a task, such as channel."""
ABOUT = ("id", "language", "channel", "group")
_NOT_IN_AGENTS = re.compile(r"[^a-zA-Z0-9_:./ -]")
"""Argilla refuses a suggestion whose agent has other characters, of which NAME@VERSION has one."""
_LONG_LIST = 10
"""Labels of a task from which Label Studio shows a list to search in, rather than all at once."""


@dataclass(frozen=True, slots=True)
class Unlabelled:
    """A message without labels; `about` has what else its row says of it: id, language, channel, group."""

    text: str
    about: dict[str, str]


def read_unlabelled(
    paths: Iterable[Path], *, text: str | None = None
) -> tuple[tuple[Unlabelled, ...], tuple[Problem, ...]]:
    """Messages from files as of labelled tickets, and a problem for each row that is left out.

    Args:
        text: the column with the text; by default `text`, or else `subject` and `body` joined.

    Raises:
        BadTrainingData: when a file cannot be read or no row is usable.
    """
    paths = list(paths)
    columns = Columns({}, text)
    found: list[Unlabelled] = []
    problems: list[Problem] = []
    for path in paths:
        for number, cells, problem in read_rows(path, {*columns.wanted, *ABOUT}):
            columns.seen.update(dict.fromkeys(cells))
            try:
                if problem:
                    raise BadRow(Fault.UNREADABLE, problem)
                message = columns.text_in(cells)
            except BadRow as bad:
                problems.append(Problem(bad.fault, f"{path}:{number}", str(bad)))
                continue
            about = {name: str(value) for name in ABOUT if not is_missing(value := cells.get(name))}
            found.append(Unlabelled(message, about))
    columns.require(paths)
    if not found:
        raise BadTrainingData(f"No usable message: {problems[0] if problems else 'the files are empty'}.")
    return tuple(found), tuple(problems)


def labelling_file(
    messages: Sequence[Unlabelled], candidates: Iterable[Candidate], bundle: Bundle
) -> list[dict[str, Any]]:
    """The entries of the file, in the order of `candidates`, which come from this bundle."""
    return [_entry(messages[candidate.position], candidate, bundle) for candidate in candidates]


def label_studio_config(bundle: Bundle) -> str:
    """The labelling configuration for the tasks of a bundle, as XML."""
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Text", name=MESSAGE, value="$text")
    for task, head in bundle.heads.items():
        ElementTree.SubElement(view, "Header", value=task)
        how = {"name": task, "toName": MESSAGE, "choice": "multiple" if head.multi_label else "single"}
        if len(head.labels) > _LONG_LIST:
            how["layout"] = "select"
        choices = ElementTree.SubElement(view, "Choices", how)
        for label in head.labels:
            ElementTree.SubElement(choices, "Choice", value=label)
    ElementTree.indent(view)
    return f"{ElementTree.tostring(view, encoding='unicode')}\n"


def argilla_settings(bundle: Bundle) -> dict[str, Any]:
    """What `argilla.Settings.from_json` reads, for the tasks of a bundle."""
    return {
        "guidelines": f"What is each message about? {bundle.reference} has made a proposal.",
        "fields": [{"name": MESSAGE, "title": "Message", "settings": {"type": "text", "use_markdown": False}}],
        "questions": [
            # Argilla publishes no dataset without a required question; any number of labels can be none.
            _question(task, head, required=number == 0 or not head.multi_label)
            for number, (task, head) in enumerate(bundle.heads.items())
        ],
        "metadata": [
            *({"name": f"{MESSAGE}_{name}", "settings": {"type": "terms"}} for name in ("language", "channel")),
            {"name": f"{MESSAGE}_uncertainty", "settings": {"type": "float"}},
        ],
        "vectors": [],
        "allow_extra_metadata": True,
        "distribution": {"strategy": "overlap", "min_submitted": 1},
    }


def _entry(message: Unlabelled, candidate: Candidate, bundle: Bundle) -> dict[str, Any]:
    choices, suggestions = [], {}
    for task, said in candidate.predictions.items():
        several = bundle.heads[task].multi_label
        labels = said.labels if several else (said.label,)
        if labels:
            value = {"choices": list(labels)}
            choices.append({"from_name": task, "to_name": MESSAGE, "type": "choices", "value": value})
            score = [share for label, share in said.ranking if label in labels]
            agent = _NOT_IN_AGENTS.sub("-", bundle.reference)
            suggestions[task] = (
                {"value": list(labels), "score": score, "agent": agent}
                if several
                else {"value": said.label, "score": said.confidence, "agent": agent}
            )
    sure = round(1 - candidate.uncertainty, 4)
    about = {**message.about, "uncertainty": candidate.uncertainty}
    return {
        "data": {"text": message.text, **message.about},
        "predictions": [{"model_version": bundle.reference, "score": sure, "result": choices}],
        "fields": {MESSAGE: message.text},
        "metadata": {f"{MESSAGE}_{name}": value for name, value in about.items()},
        "suggestions": suggestions,
    }


def _question(task: str, head: Head, *, required: bool) -> dict[str, Any]:
    kind = "multi_label_selection" if head.multi_label else "label_selection"
    options = [{"value": label, "text": label} for label in head.labels]
    return {"name": task, "title": task, "required": required, "settings": {"type": kind, "options": options}}
