"""The environment: each variable is read, an empty one counts as absent, and a wrong one is named with its value."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from kb.answer import PRECISION
from serving.desk import open_pipeline
from serving.errors import BadSettings
from serving.settings import Settings, ensure_data_folder, read_settings
from triage.pipeline import Pipeline


def test_every_field_is_described_and_has_a_default() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert not field.is_required(), name


@pytest.mark.parametrize(
    ("name", "given", "understood"),
    [
        ("data_dir", "/srv/desk", Path("/srv/desk")),
        ("cache_dir", "/srv/cache", Path("/srv/cache")),
        ("encoder", "acme/encoder", "acme/encoder"),
        ("bundle", "shop@3", "shop@3"),
        ("threads", "4", 4),
        ("text_days", "0", 0),
        ("require_keys", "true", True),
        ("log_level", "debug", "DEBUG"),
        ("taxonomy", "labels.yaml", Path("labels.yaml")),
        ("languages", "vi, th ,zh-Hant", ("vi", "th", "zh-Hant")),
        ("regions", "VN,", ("VN",)),
        ("order_patterns", r"SO\d{4,8}, ĐH-\d+", (r"SO\d{4,8}", r"ĐH-\d+")),
    ],
)
def test_a_variable_sets_its_field(monkeypatch: pytest.MonkeyPatch, name: str, given: str, understood: object) -> None:
    monkeypatch.setenv(f"FRONTDESK_{name.upper()}", given)
    assert getattr(read_settings(), name) == understood


@pytest.mark.parametrize("name", [name.upper() for name in Settings.model_fields])
def test_an_empty_variable_counts_as_absent(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    expected = read_settings()
    if name != "CACHE_DIR":
        monkeypatch.setenv(f"FRONTDESK_{name}", "")
    assert read_settings() == expected


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("THREADS", "-1"),
        ("THREADS", "all"),
        ("TEXT_DAYS", "a month"),
        ("TEXT_DAYS", "-7"),
        ("TEXT_DAYS", "99999"),
        ("PRECISION", "float8"),
        ("REQUIRE_KEYS", "perhaps"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_wrong_variable_is_named_with_its_value(monkeypatch: pytest.MonkeyPatch, name: str, given: str) -> None:
    monkeypatch.setenv(f"FRONTDESK_{name}", given)
    with pytest.raises(BadSettings, match=re.escape(f"FRONTDESK_{name} is '{given}'")):
        read_settings()


def test_every_wrong_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_THREADS", "many")
    monkeypatch.setenv("FRONTDESK_TEXT_DAYS", "few")
    with pytest.raises(BadSettings, match=r"(?s)FRONTDESK_THREADS.*FRONTDESK_TEXT_DAYS"):
        read_settings()


def test_a_database_url_takes_the_place_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_DATA_DIR", "/srv/desk")
    assert read_settings().database == "sqlite:////srv/desk/frontdesk.db"
    monkeypatch.setenv("FRONTDESK_DATABASE_URL", "postgresql://desk@db/desk")
    assert read_settings().database == "postgresql://desk@db/desk"


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"languages": ("vi", "tlhx")}, "tlhx"),
        ({"regions": ("VN", "Thailand")}, "Thailand"),
        ({"order_patterns": ("SO-[0-9",)}, "SO-[0-9"),
    ],
)
def test_a_list_with_a_wrong_entry_is_refused_before_anything_is_loaded(
    tmp_path: Path, wrong: dict[str, Any], named: str
) -> None:
    with pytest.raises(BadSettings, match=re.escape(named)):
        open_pipeline(Settings(data_dir=tmp_path, encoder="no/such-encoder", **wrong))


def test_a_data_folder_is_made_where_its_parent_exists(tmp_path: Path) -> None:
    ensure_data_folder(tmp_path / "desk")
    ensure_data_folder(tmp_path / "desk")
    assert (tmp_path / "desk").is_dir()


def test_a_data_folder_without_a_parent_is_taken_for_a_slip(tmp_path: Path) -> None:
    folder = tmp_path / "dseks" / "one"
    with pytest.raises(BadSettings, match=re.escape(f"{folder} does not exist, and neither does {folder.parent}")):
        ensure_data_folder(folder)
    assert not folder.parent.exists()


@pytest.mark.parametrize("below", ["", "desk"])
def test_a_file_cannot_be_the_data_folder(tmp_path: Path, below: str) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("ghi chú", encoding="utf-8")
    with pytest.raises(BadSettings, match=re.escape(str(file / below))):
        ensure_data_folder(file / below)


def test_answers_are_as_sure_as_was_fitted_unless_a_desk_says_otherwise() -> None:
    (own,) = (field for field in fields(Pipeline) if field.name == "answer_precision")
    assert Settings().answer_precision == own.default == PRECISION
