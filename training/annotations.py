"""What people labelled in Label Studio or Argilla, from the files that these export."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.errors import BadTrainingData
from training.labelling_files import ABOUT, MESSAGE

_HOW = (
    "From Label Studio export JSON (not JSON-MIN); from Argilla 2 save dataset.records.to_json(PATH), "
    "of a dataset that people have worked on."
)


@dataclass(frozen=True, slots=True)
class Annotated:
    """A message with the labels that people gave it.

    Attributes:
        about: what else is known of it: id, language, channel, group.
        labels: of each task that somebody labelled, one label, or a list where several were given.
        disputed: tasks on which people gave different labels; the last one counts.
    """

    text: str
    about: Mapping[str, str]
    labels: Mapping[str, str | list[str]]
    disputed: tuple[str, ...]


def read_annotations(path: Path) -> list[Annotated]:
    """Every message that somebody labelled; those that nobody did, or that were skipped, are left out.

    Raises:
        BadTrainingData: when it is neither of the two formats, or nothing in it is labelled.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadTrainingData(f"{path} cannot be read as JSON ({error}). {_HOW}") from error
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BadTrainingData(f"{path} is not a list of JSON objects. {_HOW}")
    try:
        found = [_annotated(*_parts(entry)) for entry in entries]
    except (KeyError, TypeError, AttributeError) as error:
        raise BadTrainingData(f"{path} has an entry of neither format: {error!r}. {_HOW}") from error
    labelled = [one for one in found if one.labels]
    if not labelled:
        raise BadTrainingData(f"Nobody has labelled any of the {len(entries):,} messages in {path}. {_HOW}")
    return labelled


def _parts(entry: dict[str, Any]) -> tuple[dict[str, Any], Iterator[dict[str, list[str]]]]:
    """The fields of a message, and the labels that each person gave it, the last one last."""
    if "annotations" in entry:
        return entry["data"], _of_label_studio(entry["annotations"])
    known = {name.removeprefix(f"{MESSAGE}_"): value for name, value in (entry.get("metadata") or {}).items()}
    return {**known, "text": entry["fields"][MESSAGE]}, _of_argilla(entry.get("responses") or {})


def _of_label_studio(annotations: list[dict[str, Any]]) -> Iterator[dict[str, list[str]]]:
    for annotation in sorted(annotations, key=lambda one: str(one.get("updated_at") or "")):
        if not annotation.get("was_cancelled"):
            yield {
                part["from_name"]: part["value"]["choices"]
                for part in annotation["result"]
                if part.get("type") == "choices"
            }


def _of_argilla(responses: dict[str, list[dict[str, Any]]]) -> Iterator[dict[str, list[str]]]:
    for task, given in responses.items():
        for response in given:
            value = response["value"]
            yield {task: value if isinstance(value, list) else [value]}


def _annotated(fields: dict[str, Any], people: Iterator[dict[str, list[str]]]) -> Annotated:
    said: dict[str, list[list[str]]] = {}
    for labels in people:
        for task, names in labels.items():
            said.setdefault(task, []).append(sorted(names))
    about = {name: str(fields[name]) for name in ABOUT if fields.get(name) is not None}
    return Annotated(
        fields["text"],
        about,
        {task: given[-1][0] if len(given[-1]) == 1 else given[-1] for task, given in said.items() if given[-1]},
        tuple(task for task, given in said.items() if any(names != given[-1] for names in given)),
    )
