"""The documents say what the program does: every setting, route and command, and examples that validate."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel
from typer.main import get_command

from serving import schemas
from serving.app import create_app
from serving.cli import app as command_line
from serving.desk import Desk
from serving.examples import recorded
from serving.settings import Settings
from tests.conftest import ROOT

FOLDERS = ("models", "triage", "kb", "serving", "training")


def test_every_setting_is_documented_and_no_other() -> None:
    documented = re.findall(r"^\| `FRONTDESK_(\w+)`", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE)
    assert documented == [name.upper() for name in Settings.model_fields]


def test_every_route_is_documented_and_no_other(light_desk: Desk) -> None:
    paths = create_app(light_desk).openapi()["paths"]
    served = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    documented = re.findall(r"^\| `((?:GET|POST) [^`]+)`", (ROOT / "docs" / "api.md").read_text(), re.MULTILINE)
    assert set(documented) == served


def test_every_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    for name in get_command(command_line).commands:  # type: ignore[attr-defined]
        assert f"frontdesk {name}" in readme


@pytest.mark.parametrize("folder", FOLDERS)
def test_folder_readmes_name_modules_that_exist(folder: str) -> None:
    for named in re.findall(r"^\| ([^|]+) \|", (ROOT / folder / "README.md").read_text(), re.MULTILINE):
        for name in re.findall(r"`([\w/]+?)/?`", named):
            assert (ROOT / folder / f"{name}.py").is_file() or (ROOT / folder / name).is_dir(), name


EXAMPLES: dict[str, tuple[type[BaseModel] | None, type[BaseModel]]] = {
    "triage": (schemas.MessageIn, schemas.TriageOut),
    "batch": (schemas.BatchIn, schemas.BatchOut),
    "correction": (schemas.CorrectionIn, schemas.CorrectionOut),
    "answer": (schemas.AnswerIn, schemas.AnswerOut),
    "outcome": (schemas.OutcomeIn, schemas.OutcomeOut),
    "gaps": (None, schemas.GapsOut),
    "suggestions": (schemas.SuggestionsIn, schemas.SuggestionsOut),
    "event": (schemas.EventIn, schemas.EventOut),
    "candidates": (None, schemas.CandidatesOut),
    "review": (schemas.ReviewIn, schemas.CandidateOut),
    "taxonomy": (None, schemas.TaxonomyOut),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_recorded_examples_are_of_the_present_schemas(name: str) -> None:
    asked, answered = EXAMPLES[name]
    if asked is not None:
        request = recorded()[name]["request"]
        assert asked.model_validate(request).model_dump(mode="json", exclude_unset=True) == request
    response = recorded()[name]["response"]
    assert answered.model_validate(response).model_dump(mode="json", exclude_unset=True) == response


def test_links_between_documents_lead_somewhere() -> None:
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "benchmarks" / "README.md"]:
        for link in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
            if not link.startswith(("http:", "https:")):
                assert (document.parent / Path(link)).exists(), f"{document}: {link}"
