"""frontdesk kb and frontdesk answer: all is imported or nothing, and found again in any language."""

import json
from pathlib import Path

import pytest

from tests.serving.terminal import BODIES, Run, assert_failed, write_article, write_articles
from tests.serving.wire import PASSWORD

LANGUAGES = sorted(BODIES)


def _front(*lines: str) -> str:
    return "\n".join(["---", *lines, "---", "Tạm biệt."])


def _row(**row: object) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


def test_articles_are_added_changed_and_left_alone(frontdesk: Run, tmp_path: Path) -> None:
    folder = write_articles(tmp_path / "help")
    (folder / "README.md").write_text("# About this folder", encoding="utf-8")
    (folder / "macros.yaml").write_text(
        "- {id: hello-th, title: ทักทาย, language: th, intents: [account.password], text: สวัสดีค่ะ}", encoding="utf-8"
    )
    first = frontdesk("kb", "import", folder)
    assert first.status == 0
    assert "articles: 6 added, 0 changed, 0 unchanged" in first.out
    assert "macros: 1 added, 0 changed, 0 unchanged" in first.out
    write_article(folder, "ru", title="Пароль забыт")
    again = frontdesk("kb", "import", folder)
    assert "articles: 0 added, 1 changed, 5 unchanged" in again.out
    assert first.out.splitlines()[-1] != again.out.splitlines()[-1]
    listed = frontdesk("kb", "list", "--json").rows
    assert {(row["id"], row["language"]) for row in listed} == {
        *((f"password-{language}", language) for language in LANGUAGES),
        ("hello-th", "th"),
    }
    assert next(row["title"] for row in listed if row["id"] == "password-ru") == "Пароль забыт"
    assert "password-zh-Hant" in frontdesk("kb", "list").out


def test_an_export_with_one_bad_article_is_taken_whole_or_as_far_as_it_is_good(frontdesk: Run, tmp_path: Path) -> None:
    rows = [
        _row(id="gift-th", title="การ์ดของขวัญ", body="ใช้ได้สองปี", audience="internal"),
        _row(id="sale-th", title="ลดราคา", body="ลด 20%", valid_until="2026-12-31", draft=True),
        _row(id="empty-th", title="ว่าง", body="<img src=x>"),
    ]
    (tmp_path / "th.jsonl").write_text("".join(rows), encoding="utf-8")
    assert_failed(frontdesk("kb", "import", tmp_path / "th.jsonl"), "th.jsonl:1: has no language", "--language")
    assert_failed(frontdesk("kb", "import", tmp_path / "th.jsonl", "--language", "th"), "th.jsonl:3: has no body")
    assert frontdesk("kb", "list", "--json").rows == []
    done = frontdesk("kb", "import", tmp_path / "th.jsonl", "--language", "th", "--keep-going")
    assert done.status == 1
    assert "articles: 2 added" in done.out
    assert "th.jsonl:3: has no body" in done.err
    assert frontdesk("kb", "list", "--json").rows == [
        {"id": "gift-th", "language": "th", "title": "การ์ดของขวัญ", "audience": "internal"},
        {"id": "sale-th", "language": "th", "title": "ลดราคา", "draft": True, "valid_until": "2026-12-31"},
    ]
    assert "ลดราคา  (draft, valid_until 2026-12-31)" in frontdesk("kb", "list").out


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("a.md", _front("title: Goodbye", "language: en"), ("a.md", "has no id")),
        ("a.md", "Just text, without front matter.", ("a.md", "front matter", "id: …")),
        ("a.md", _front("id: a", "language: en"), ("a.md", "has no title")),
        ("a.md", _front("id: a", "title: Goodbye"), ("a.md", "language")),
        ("a.md", _front("id: a", "title: Goodbye", "language: klingonese"), ("a.md", "'klingonese'")),
        ("a.md", _front("id: a b", "title: Goodbye", "language: en"), ("a.md", "'a b'")),
        ("a.md", _front("id: a", "title: T", "language: en", "audience: staff"), ("a.md", "'staff'")),
        ("a.md", _front("id: [", "title: T"), ("a.md", "cannot be read")),
        ("a.md", _front("id: a", "title: T", "language: en", "date: 2026-02-31"), ("a.md", "cannot be read")),
        ("a.md", _front("- id", "- title"), ("a.md", "list")),
        ("a.md", "---\nid: a\ntitle: T\nlanguage: en\n---\n  \n", ("a.md", "has no body")),
        ("a.md", _front("id: password-vi", "title: T", "language: vi"), ("'password-vi'", "a.md")),
        ("a.md", "---\nid: a\n---\nTạm biệt".encode("utf-16"), ("a.md",)),
        ("a.md", b"---\nid: a\ntitle: caf\xe9\nlanguage: fr\n---\nbody", ("a.md", "cannot be read")),
        ("a.jsonl", _row(id="a", title="T", language="en", body="B") + "{oops\n", ("a.jsonl:2",)),
        ("a.jsonl", _row(id="a", title="T", language="en") + '"text"\n', ("a.jsonl:1", "body", "a.jsonl:2")),
        ("a.jsonl.gz", b"not packed at all", ("a.jsonl.gz", "cannot be read")),
        ("m.yaml", "- {id: m, title: M, language: th, intents: [order.status]}", ("m.yaml", "has no text")),
        ("m.yaml", "- {id: m, title: M, language: th, intents: order.status, text: ค่ะ}", ("intents",)),
        ("m.yaml", "- [unclosed", ("m.yaml", "cannot be read")),
    ],
)
def test_one_bad_file_and_nothing_is_imported(
    frontdesk: Run, tmp_path: Path, name: str, content: str | bytes, named: tuple[str, ...]
) -> None:
    folder = write_articles(tmp_path / "help")
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    assert_failed(frontdesk("kb", "import", folder), *named)
    assert frontdesk("kb", "list").out == ""


def test_every_problem_is_listed_at_once(frontdesk: Run, tmp_path: Path) -> None:
    folder = write_articles(tmp_path / "help")
    (folder / "a.md").write_text(_front("title: A"), encoding="utf-8")
    (folder / "b.md").write_bytes(b"\xff\xfe")
    (folder / "c.jsonl").write_text("oops\noops\n", encoding="utf-8")
    assert_failed(frontdesk("kb", "import", folder), "a.md", "b.md", "c.jsonl:1", "c.jsonl:2")


def test_a_folder_without_articles_is_named(frontdesk: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert_failed(frontdesk("kb", "import", tmp_path / "empty"), tmp_path / "empty", ".md")
    assert_failed(frontdesk("kb", "import", tmp_path / "nowhere"), tmp_path / "nowhere", "does not exist")


def test_search_prints_one_object_a_query(frontdesk: Run, tmp_path: Path) -> None:
    frontdesk("kb", "import", write_articles(tmp_path / "help"))
    for language in LANGUAGES:
        (row,) = frontdesk("kb", "search", PASSWORD[language], "--json", "--top-k", 3).rows
        assert set(row) == {"query", "hits"}
        assert row["query"] == PASSWORD[language]
        assert len(row["hits"]) == 1  # translations count as one article
        assert set(row["hits"][0]) == {"article_id", "passage", "language", "score"}
        assert row["hits"][0]["article_id"] == f"password-{language}"
        assert row["hits"][0]["passage"] == BODIES[language]
    file = tmp_path / "queries.txt"
    file.write_text("\ufeff" + "\r\n".join(PASSWORD.values()) + "\r\n", encoding="utf-8")
    rows = frontdesk("kb", "search", "--input", file, "--json").rows
    assert [row["query"] for row in rows] == list(PASSWORD.values())
    assert [row["hits"][0]["language"] for row in rows] == list(PASSWORD)


def test_a_changed_tag_changes_what_is_found(frontdesk: Run, tmp_path: Path) -> None:
    bodies = {"fees": "Phí thường niên 99.000đ.", "limits": "Hạn mức mỗi ngày 50 triệu."}
    for owner in bodies:
        rows = [
            _row(id=name, language="vi", title=name, body=body, tags=["máy nuốt thẻ"] if name == owner else [])
            for name, body in bodies.items()
        ]
        (tmp_path / "help.jsonl").write_text("".join(rows), encoding="utf-8")
        assert frontdesk("kb", "import", tmp_path / "help.jsonl").status == 0
        (row,) = frontdesk("kb", "search", "Máy nuốt thẻ", "--json", "--top-k", 1).rows
        assert [(hit["article_id"], hit["passage"]) for hit in row["hits"]] == [(owner, bodies[owner])]


def test_search_for_people_names_article_and_title(frontdesk: Run, tmp_path: Path) -> None:
    assert frontdesk("kb", "search", PASSWORD["th"]).out == "nothing found\n"
    frontdesk("kb", "import", write_articles(tmp_path / "help"))
    shown = frontdesk("kb", "search", PASSWORD["th"]).out
    assert "password-th" in shown
    assert PASSWORD["th"] in shown


def test_internal_articles_are_found_only_when_asked_for(frontdesk: Run, tmp_path: Path) -> None:
    write_article(tmp_path / "help", "en", audience="internal")
    frontdesk("kb", "import", tmp_path / "help")
    (row,) = frontdesk("kb", "search", PASSWORD["en"], "--json").rows
    assert row["hits"] == []
    (row,) = frontdesk("kb", "search", PASSWORD["en"], "--json", "--internal").rows
    assert [hit["article_id"] for hit in row["hits"]] == ["password-en"]


def test_a_query_that_cannot_be_is_refused(frontdesk: Run, tmp_path: Path) -> None:
    assert_failed(frontdesk("kb", "search"), "QUERY", "--input")
    assert_failed(frontdesk("kb", "search", " "), "Query 1", "blank")
    assert_failed(frontdesk("kb", "search", "caf\udce9"), "Query 1", "not Unicode")
    assert_failed(frontdesk("kb", "search", "--input", tmp_path / "none.txt"), tmp_path / "none.txt")
    (tmp_path / "q.txt").write_text("пароль\n\nmật khẩu\n", encoding="utf-8")
    assert_failed(frontdesk("kb", "search", "--input", tmp_path / "q.txt"), "Query 2", "blank")
    (tmp_path / "q.txt").write_bytes(b"caf\xe9\n")
    assert_failed(frontdesk("kb", "search", "--input", tmp_path / "q.txt"), tmp_path / "q.txt")


def test_deleting_names_what_is_gone_and_what_was_never_there(frontdesk: Run, tmp_path: Path) -> None:
    frontdesk("kb", "import", write_articles(tmp_path / "help"))
    done = frontdesk("kb", "delete", "password-vi", "password-th")
    assert (done.status, done.out) == (0, "deleted: password-vi, password-th\n")
    done = frontdesk("kb", "delete", "password-vi", "password-ru")
    assert (done.status, done.out) == (1, "deleted: password-ru\n")
    assert "password-vi" in done.err
    left = {row["id"] for row in frontdesk("kb", "list", "--json").rows}
    assert left == {"password-en", "password-zh-Hans", "password-zh-Hant"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_comes_with_its_source(
    frontdesk: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    # How sure an answer is, the light encoder cannot say.
    monkeypatch.setattr("kb.answer.THRESHOLD", 0.0)
    folder = write_articles(tmp_path / "help")
    frontdesk("kb", "import", folder)
    done = frontdesk("answer", PASSWORD[language])
    assert (done.status, done.err) == (0, "")
    assert done.out == f"{BODIES[language]}\n\n— {PASSWORD[language]} (password-{language})\n"
    (row,) = frontdesk("answer", PASSWORD[language], "--language", language, "--json").rows
    assert set(row) == {"answer", "citations", "text_language"}
    assert (row["answer"]["text"], row["answer"]["language"]) == (BODIES[language], language)
    assert [citation["article_id"] for citation in row["citations"]] == [f"password-{language}"]


def test_a_desk_says_how_sure_answers_must_be(frontdesk: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.answer.THRESHOLD", 0.0)
    frontdesk("kb", "import", write_articles(tmp_path / "help"))
    assert frontdesk("answer", PASSWORD["th"]).status == 0
    monkeypatch.setenv("FRONTDESK_ANSWER_PRECISION", "1")
    assert frontdesk("answer", PASSWORD["th"]).status == 3
    monkeypatch.setenv("FRONTDESK_ANSWER_PRECISION", "0.5")
    assert_failed(frontdesk("answer", PASSWORD["th"]), "FRONTDESK_ANSWER_PRECISION", "0.8")


def test_a_folder_can_answer_without_being_imported(
    frontdesk: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.answer.THRESHOLD", 0.0)
    monkeypatch.setenv("FRONTDESK_CACHE_DIR", str(tmp_path / "cache"))
    folder = write_articles(tmp_path / "help")
    assert BODIES["ru"] in frontdesk("answer", PASSWORD["ru"], "--kb", folder).out
    assert not (tmp_path / "desk").exists()
    assert_failed(frontdesk("answer", PASSWORD["ru"], "--kb", tmp_path / "nowhere"), tmp_path / "nowhere")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_answer_has_a_status_of_its_own(frontdesk: Run, language: str) -> None:
    done = frontdesk("answer", PASSWORD[language])
    assert (done.status, done.out) == (3, "")
    assert "No answer" in done.err
    done = frontdesk("answer", PASSWORD[language], "--json")
    assert done.status == 3
    assert done.rows == [{"answer": None, "citations": [], "text_language": language}]


def test_a_question_that_cannot_be_is_refused(frontdesk: Run) -> None:
    assert_failed(frontdesk("answer", ""), "blank")
    assert_failed(frontdesk("answer", PASSWORD["en"], "--language", "klingonese"), "'klingonese'")
