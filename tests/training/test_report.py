"""The report: one page that needs no network and runs nothing that a customer wrote, the figures, and a model card."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.training.evaluations import LANGUAGES, MESSAGES, evaluation, one_task, said, scored, several
from training.evaluate import Evaluation
from training.report import CARD, METRICS, PAGE, write_report

HOSTILE = "<script>alert('xin chào')</script><img src=x onerror=alert(1)> & \"quotes\" </script>"
LABELS = ["«вход»", "a|b", "<b>đậm</b>", 'say "hi"', "บัตรหาย", "退款</script>"]


class Page(HTMLParser):
    """The parts of a page that matter here."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            about, known = self.scripts[-1]
            self.scripts[-1] = about, known + data
        elif self._inside != "style":
            self.text += data

    @property
    def charts(self) -> Any:
        (found,) = (json.loads(text) for about, text in self.scripts if about.get("id") == "charts")
        return found


def _hostile() -> Evaluation:
    truth = [LABELS[at % 6] for at in range(60)] + ["oos"] * 12 + ["unbekannt <i>"]
    given = [LABELS[(at + (at % 5 == 0)) % 6] for at in range(60)] + [LABELS[0]] * 13
    texts = [HOSTILE, *(f"{MESSAGES[LANGUAGES[at % 6]]} {at}" for at in range(1, 73))]
    confidence = [0.97, *np.linspace(0.2, 0.95, 72)]
    intent = one_task(truth, scored(sorted(LABELS), given, confidence), texts=texts)
    urgency = one_task(["high", "low"] * 30, scored(["high", "low"], ["high"] * 60), task="urgency")
    notes = {"data": {"rows": 900, "fingerprint": "c0ff33"}, "libraries": {"numpy": "2.4"}, "training": {"seed": 13}}
    return evaluation(intent, urgency, bundle="bàn<i>@3", notes=notes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports") / "report"
    write_report(_hostile(), folder)
    return folder


@pytest.fixture(scope="module")
def page(folder: Path) -> Page:
    return Page((folder / PAGE).read_text(encoding="utf-8"))


def _drawn(page: Page) -> Iterator[str]:
    yield from (about["data-chart"] or "" for _, about in page.tags if "data-chart" in about)


def test_what_people_wrote_is_shown_and_never_run(page: Page) -> None:
    assert HOSTILE in page.text
    assert all(label in page.text for label in LABELS)
    assert "unbekannt <i> (1)" in page.text
    assert "bàn<i>@3" in page.text
    assert len(page.scripts) == 3
    assert not {"img", "iframe", "b", "i"} & {tag for tag, _ in page.tags}
    assert not any(name.startswith("on") for _, about in page.tags for name in about)


def test_the_policy_lets_only_the_reports_own_scripts_run(page: Page) -> None:
    (policy,) = (about["content"] or "" for tag, about in page.tags if tag == "meta" and "http-equiv" in about)
    assert "default-src 'none'" in policy
    own = [text for about, text in page.scripts if about.get("type") != "application/json"]
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in own]
    assert re.findall(r"'sha256-([^']+)'", policy) == hashes
    assert "unsafe-inline" not in policy.split("script-src")[1]


def test_nothing_is_loaded_from_anywhere(page: Page, folder: Path) -> None:
    assert not [name for _, about in page.tags for name in ("src", "href", "srcset") if name in about]
    (style,) = re.findall(r"<style>(.*?)</style>", (folder / PAGE).read_text(encoding="utf-8"), re.DOTALL)
    assert "url(" not in style
    assert "@import" not in style


def test_every_chart_is_there_for_every_task(page: Page) -> None:
    everything = {"confusion", "confused", "reliability", "coverage", "languages", "out_of_scope", "roc"}
    assert page.charts["task-0"].keys() == everything
    assert page.charts["task-1"].keys() == everything - {"out_of_scope", "roc"}
    assert sorted(_drawn(page)) == sorted(f"{task}/{name}" for task, some in page.charts.items() for name in some)
    assert "Plotly" in page.scripts[1][1]


def test_charts_can_be_heard_and_tables_have_names(page: Page) -> None:
    plots = [about for _, about in page.tags if "data-chart" in about]
    assert all(about["role"] == "group" and about["aria-label"] for about in plots)
    assert [tag for tag, _ in page.tags].count("table") == [tag for tag, _ in page.tags].count("caption")
    assert ("html", {"lang": "en"}) in page.tags
    tabs = [about for _, about in page.tags if about.get("role") == "tab"]
    panels = {about["id"] for _, about in page.tags if about.get("role") == "tabpanel"}
    assert {about["aria-controls"] for about in tabs} == panels == {"task-0", "task-1"}


def test_messages_carry_their_language(page: Page) -> None:
    assert set(LANGUAGES) <= {about.get("lang") for tag, about in page.tags if tag == "span"}


def test_names_in_charts_are_not_read_as_tags(page: Page) -> None:
    axis = page.charts["task-0"]["confusion"]["layout"]["yaxis"]["categoryarray"]
    assert "&lt;b&gt;đậm&lt;/b&gt;" in axis
    assert not any("<" in name for name in axis)


def test_the_figures_are_those_of_the_command(folder: Path) -> None:
    assert json.loads((folder / METRICS).read_text(encoding="utf-8")) == _hostile().as_json()


def test_the_model_card_says_what_is_known_and_what_is_not(folder: Path) -> None:
    card = (folder / CARD).read_text(encoding="utf-8")
    _, front, body = card.split("---\n", 2)
    about = yaml.safe_load(front)
    assert about["language"] == sorted(LANGUAGES)
    assert about["model-index"][0]["name"] == "bàn<i>@3"
    assert about["model-index"][0]["results"][0]["metrics"][0]["type"] == "accuracy"
    for known in ("c0ff33", "d4t4", "light-0", "numpy 2.4", "seed 13", "## intent", "## urgency", "## Limits"):
        assert known in body, known
    assert r"| a\|b |" in body
    assert "<b>" not in body
    assert "fewer than 30 rows" in body
    assert r"urgency: no row lies outside all labels" in body
    rows = [line for line in body.splitlines() if line.startswith("| ")]
    tables = {line.count("|") - line.count(r"\|") for line in rows}
    assert tables == {3, 7, 8}


def test_the_model_card_names_where_the_bundle_is_weak(tmp_path: Path) -> None:
    labels = ["возврат", "退款", "บัตรหาย"]
    truth = [labels[at // 6 % 3] for at in range(360)]
    # Every lost card of three languages is taken for a return, and nothing else is wrong.
    given = [labels[0] if at % 6 in (1, 2, 3) and name == labels[2] else name for at, name in enumerate(truth)]
    found = said(truth, given, notes={"training": {"precision": 0.9}})
    write_report(found, tmp_path / "report")
    limits = (tmp_path / "report" / CARD).read_text(encoding="utf-8").partition("## Limits")[2]
    assert "intent: weak at บัตรหาย (F1 66.7%)." in limits
    assert "thresholds chosen for a precision of 90% do not hold it for возврат (66.7%)." in limits
    assert "clearly behind" in limits
    assert all(language in limits for language in (LANGUAGES[1], LANGUAGES[2], LANGUAGES[3]))
    assert not any(f"{language} (" in limits for language in (LANGUAGES[0], LANGUAGES[4], LANGUAGES[5]))


@pytest.mark.parametrize("labels", [2, 77, 150, 400])
def test_any_number_of_labels_is_drawn(tmp_path: Path, labels: int) -> None:
    names = [f"{'очень длинное имя метки ' * 2}{at}" for at in range(labels)]
    truth = [names[at % labels] for at in range(labels * 2)]
    given = [names[(at + (at % 7 == 0)) % labels] for at in range(labels * 2)]
    write_report(said(truth, given), tmp_path / "report")
    charts = Page((tmp_path / "report" / PAGE).read_text(encoding="utf-8")).charts["task-0"]
    shown = charts["confusion"]["layout"]["yaxis"]["categoryarray"]
    assert len(set(shown)) == len(shown) == min(labels, 300)
    assert all(len(name) < 45 for name in shown)
    assert charts["confusion"]["layout"]["height"] >= 10 * len(shown)
    assert len(charts["confused"]["layout"]["yaxis"]["categoryarray"]) <= 26


@pytest.mark.parametrize(
    "least",
    [
        said(["a"], ["a"]),
        said(["a"], ["b"]),
        said(["oos"], ["a"]),
        evaluation(one_task(["?"], scored(["a", "b"], ["a"]))),
        evaluation(one_task(["a", "b"], scored(["a", "b"], ["a", "b"], 0.6, threshold=0.99))),
        evaluation(one_task([("a", "b"), (), ("oos",)], several(["a", "b"], [[1, 0.9], [0, 0.7], [0.6, 0]]))),
    ],
    ids=["one row", "one wrong row", "out of scope only", "unknown only", "never sure", "several labels"],
)
def test_the_least_data_makes_a_report_too(tmp_path: Path, least: Evaluation) -> None:
    write_report(least, tmp_path / "report")
    text = (tmp_path / "report" / PAGE).read_text(encoding="utf-8")
    page = Page(text)
    assert "nan" not in page.text.lower()
    assert "None" not in page.text
    assert "nan" not in (tmp_path / "report" / CARD).read_text(encoding="utf-8").lower()


def test_a_report_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("training.report.model_card", full_disk)
    with pytest.raises(OSError, match="No space"):
        write_report(said(["a", "b"], ["a", "b"]), tmp_path / "report")
    assert list(tmp_path.iterdir()) == []


def test_warnings_stand_on_top(tmp_path: Path) -> None:
    trained = said(["a", "b"], ["a", "b"], notes={"data": {"rows": 2, "fingerprint": "d4t4"}})
    write_report(trained, tmp_path / "report")
    assert "trained on these very rows" in (tmp_path / "report" / PAGE).read_text(encoding="utf-8")
    assert "trained on these very rows" in (tmp_path / "report" / CARD).read_text(encoding="utf-8")
