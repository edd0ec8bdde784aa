"""The taxonomy file: what the starter says, and every mistake in a desk's own named at once."""

from pathlib import Path

import pytest

from triage.errors import BadConfiguration
from triage.taxonomy import Complexity, Role, Taxonomy, load_taxonomy

SMALL = """
name: คลินิก
intents:
  - {id: appointment.book, title: นัดหมาย, complexity: high, sensitive: true, role: request}
  - {id: спасибо, role: no_reply}
urgencies:
  - {id: bình thường}
  - {id: gấp, criteria: Trong hôm nay., self_service: false}
urgency_cues:
  - {reason: 等很久了, words: [等了好久, Can’t wait]}
"""


def load(folder: Path, content: str) -> Taxonomy:
    path = folder / "taxonomy.yaml"
    path.write_text(content, encoding="utf-8")
    return load_taxonomy(path)


def problems_of(folder: Path, content: str) -> list[str]:
    with pytest.raises(BadConfiguration) as caught:
        load(folder, content)
    assert str(caught.value).splitlines() == list(caught.value.problems)
    assert all(str(folder / "taxonomy.yaml") in problem for problem in caught.value.problems)
    return list(caught.value.problems)


def test_the_starter_steers_the_decision() -> None:
    starter = load_taxonomy()
    roles = {intent.id: intent.role for intent in starter.intents}
    assert len(roles) == len(starter.intents) == 54
    assert roles["other.out_of_scope"] is Role.OUT_OF_SCOPE
    assert roles["other.no_reply_needed"] is Role.NO_REPLY
    assert [level.id for level in starter.urgencies] == ["low", "normal", "high", "critical"]
    assert [level.id for level in starter.urgencies if not level.self_service] == ["high", "critical"]
    security = starter.intent("account.security")
    assert security is not None
    assert (security.sensitive, security.self_service) == (True, False)


def test_a_desk_names_its_own_labels(tmp_path: Path) -> None:
    small = load(tmp_path, SMALL)
    first, second = small.intents
    assert (first.title, first.complexity, first.sensitive, first.self_service) == (
        "นัดหมาย", Complexity.HIGH, True, False,
    )  # fmt: skip
    assert (second.title, second.complexity, second.sensitive, second.role) == (
        "спасибо", Complexity.MEDIUM, False, Role.NO_REPLY,
    )  # fmt: skip
    assert small.intent("спасибо") is second
    assert small.intent("order.status") is None
    assert [level.self_service for level in small.urgencies] == [True, False]
    assert small.urgency("gấp") is small.urgencies[1]
    assert small.urgency("high") is None


def test_a_desk_names_words_of_its_own(tmp_path: Path) -> None:
    assert load(tmp_path, SMALL).own_words == frozenset()
    assert load(tmp_path, SMALL + "own_words: [Zenvio, Мегафлоу]").own_words == {"zenvio", "мегафлоу"}
    (problem,) = problems_of(tmp_path, SMALL + "own_words: Zenvio")
    assert "own_words is 'Zenvio'; it should be a list of words" in problem


def test_the_version_follows_the_content(tmp_path: Path) -> None:
    first = load(tmp_path, SMALL).version
    assert first.startswith("คลินิก-")
    assert load(tmp_path, SMALL).version == first
    assert load(tmp_path, SMALL + "# a comment\n").version != first


WRONG = """
intent: []
intents:
  - {title: No id}
  - {id: a, complexity: enormous, sensitive: maybe}
  - {id: a, colour: red}
  - {id: b, role: boss, examples: алло, near: [c]}
  - just a word
urgencies: high
urgency_cues:
  - {reason: at once, words: ด่วน}
  - {reason: waited, words: [no, 'ждал']}
  - {reason: nothing, words: ['']}
"""


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    expected = [
        "has unknown intent; known are name, own_words, areas, intents, urgencies, urgency_cues",
        "intents entry 1 has no id",
        "a: complexity is 'enormous'; it can be low, medium, high",
        "a: sensitive is 'maybe'; it can be True, False",
        "intents has the id 'a' twice",
        "intents entry 3 has unknown colour",
        "b: role is 'boss'; it can be request, no_reply, out_of_scope",
        "intent b: examples is 'алло'; it should be a list of words",
        "intent b: near is ['c']; it should be a mapping of text to text",
        "intents entry 5 should be a mapping, and is 'just a word'",
        "urgencies should be a list, and is str",
        "has no urgencies",
        "urgency cue 'at once': words is 'ด่วน'; it should be a list of words",
        "urgency cue 'waited': words is [False, 'ждал']",
        "urgency cue 'nothing': words is ['']",
    ]
    problems = problems_of(tmp_path, WRONG)
    assert len(problems) == len(expected)
    for said in expected:
        assert sum(said in problem for problem in problems) == 1, said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "should be a mapping, and is NoneType"),
        ("- intents", "should be a mapping, and is list"),
        ("intents: [", "cannot be read"),
        ("name: 2026-02-30", "cannot be read"),
        ("name: \udcff", "cannot be read"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "taxonomy.yaml"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(BadConfiguration, match=said):
        load_taxonomy(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match=r"nowhere\.yaml: cannot be read"):
        load_taxonomy(tmp_path / "nowhere.yaml")


def test_the_starter_tells_annotators_what_is_what() -> None:
    starter = load_taxonomy()
    assert {intent.area for intent in starter.intents} == {area.id for area in starter.areas}
    for intent in starter.intents:
        assert intent.title, intent.id
        assert intent.description, intent.id
        assert len(intent.examples) >= 2, intent.id
        assert intent.near or intent.id == "contact.person" or intent.role is Role.OUT_OF_SCOPE, intent.id


TANGLED = """
areas: [{id: заказ, title: Заказы}, {id: пусто}]
intents:
  - {id: заказ.отмена, examples: [Отмените заказ], near: {Хочу вернуть: возврат, Отмена: заказ.отмена}}
  - {id: ส่งของ, examples: [отмените ЗАКАЗ, ของยังไม่มา]}
urgencies: [{id: thường}]
"""


def test_what_contradicts_itself_is_explained(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, TANGLED)
    expected = [
        "заказ.отмена: near sends 'Хочу вернуть' to 'возврат', which is not another intent of this file",
        "заказ.отмена: near sends 'Отмена' to 'заказ.отмена', which is not another intent",
        "ส่งของ: belongs to no area; its id should begin with one of заказ, пусто",
        "ส่งของ: the example 'отмените ЗАКАЗ' stands under заказ.отмена as well",
        "area пусто has no intent",
    ]
    assert len(problems) == len(expected)
    for said in expected:
        assert sum(said in problem for problem in problems) == 1, said
