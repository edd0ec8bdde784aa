"""YAML files that a desk edits, read with every mistake named."""

import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

from triage.errors import BadConfiguration


class Document:
    """One YAML mapping, and the problems found in it so far."""

    def __init__(self, path: Path, *, known: Collection[str]) -> None:
        self.path = path
        self.problems: list[str] = []
        try:
            raw = path.read_bytes()
            content = yaml.safe_load(raw)
        # ValueError: what YAML takes for a date that no calendar has.
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise BadConfiguration([f"{path}: cannot be read ({' '.join(str(error).split())[:200]})"]) from error
        if not isinstance(content, dict):
            raise BadConfiguration([f"{path}: should be a mapping, and is {type(content).__name__}"])
        self.content: dict[str, Any] = content
        self._check_keys(content, known, "")
        name = content.get("name", path.stem)
        self.version = f"{name}-{hashlib.sha256(raw).hexdigest()[:8]}"

    def rows(self, key: str, *, known: Collection[str]) -> list[dict[str, Any]]:
        """The list of mappings under `key`; entries of another form or with unknown keys become problems."""
        rows = self.content.get(key, [])
        if not isinstance(rows, list):
            self.problems.append(f"{self.path}: {key} should be a list, and is {type(rows).__name__}")
            return []
        good = []
        for number, row in enumerate(rows, 1):
            if not isinstance(row, dict):
                self.problems.append(f"{self.path}: {key} entry {number} should be a mapping, and is {row!r}")
                continue
            self._check_keys(row, known, f"{key} entry {number} ")
            good.append(row)
        return good

    def identities(self, key: str, rows: list[dict[str, Any]]) -> tuple[str, ...]:
        """The ids of `rows`; missing and repeated ones become problems."""
        ids: list[str] = []
        for number, row in enumerate(rows, 1):
            value = row.get("id")
            if not isinstance(value, str) or not value:
                self.problems.append(f"{self.path}: {key} entry {number} has no id")
            elif value in ids:
                self.problems.append(f"{self.path}: {key} has the id {value!r} twice")
            ids.append(str(value))
        return tuple(ids)

    def choice(self, row: dict[str, Any], key: str, allowed: Collection[Any], default: Any) -> Any:
        value = row.get(key, default)
        if value not in allowed:
            self.problems.append(
                f"{self.path}: {row.get('id', '?')}: {key} is {value!r}; it can be {', '.join(map(str, allowed))}"
            )
            return default
        return value

    def words(self, place: str, row: dict[str, Any], key: str) -> tuple[str, ...]:
        """The list of words under `key`; anything else, a lone word among it, becomes a problem."""
        value = row.get(key)
        if value is None:
            return ()
        if isinstance(value, list) and all(isinstance(word, str) and word.strip() for word in value):
            return tuple(value)
        self.problems.append(
            f"{self.path}: {place}: {key} is {value!r}; it should be a list of words, "
            "with numbers, yes and no in quotes"
        )
        return ()

    def pairs(self, place: str, row: dict[str, Any], key: str) -> dict[str, str]:
        """The mapping of text to text under `key`; anything else becomes a problem."""
        value = row.get(key, {})
        if isinstance(value, dict) and all(isinstance(part, str) and part for pair in value.items() for part in pair):
            return value
        self.problems.append(f"{self.path}: {place}: {key} is {value!r}; it should be a mapping of text to text")
        return {}

    def finish(self) -> None:
        """Raise BadConfiguration if anything was wrong."""
        if self.problems:
            raise BadConfiguration(self.problems)

    def _check_keys(self, mapping: dict[Any, Any], known: Collection[str], place: str) -> None:
        if unknown := sorted(str(key) for key in mapping.keys() - set(known)):
            self.problems.append(f"{self.path}: {place}has unknown {', '.join(unknown)}; known are {', '.join(known)}")
