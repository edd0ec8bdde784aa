"""What tests of promotions share: a desk that follows its registry, without weights."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from models.bundle import Bundle
from models.light import LightEncoder
from models.registry import Registry
from serving.desk import Desk, open_desk
from serving.settings import Settings

WHO = "Lan"


def shifted(bundle: Bundle, task: str = "intent") -> Bundle:
    """The bundle with its labels of a task moved on by one: each of its predictions is recognisably another."""
    head = bundle.heads[task]
    labels = (*head.labels[1:], head.labels[0])
    return replace(bundle, heads={**bundle.heads, task: replace(head, labels=labels)})


def add_versions(folder: Path, bundle: Bundle) -> Registry:
    """help@1 is `bundle` and live; help@2 says another intent of every message."""
    registry = Registry(folder / "bundles")
    for one in (bundle, shifted(bundle)):
        registry.add(replace(one, name="help"))
    registry.promote("help@1", who=WHO)
    return registry


@contextmanager
def opened(folder: Path, encoder: LightEncoder, **settings: str) -> Iterator[Desk]:
    desk = open_desk(Settings.model_validate({"data_dir": folder, **settings}), encoder=encoder)
    try:
        yield desk
    finally:
        desk.database.close()
