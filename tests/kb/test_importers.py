"""Articles and macros from files: what is read, and how everything that is wrong is named at once."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from kb.errors import BadArticle, NothingToImport
from kb.importers import read
from kb.rows import MAX_BODY
from kb.types import Article, Audience, Macro
from tests.kb.samples import LANGUAGES, help_centre

MACRO = """
- id: th-late
  title: พัสดุล่าช้า
  language: th
  intents: [delivery.not_received]
  text: |
    ขออภัยค่ะคุณ{{customer_name}}
    กำลังตามพัสดุให้อยู่นะคะ
- {id: ru-thanks, title: Спасибо, language: ru, intents: [other.no_reply_needed], text: Рады помочь!}
"""


def markdown(body: str = "Within 30 days.", **front: str) -> str:
    fields = {"id": "returns-en", "title": "Returns", "language": "en"} | front
    return "\n".join(["---", *(f"{key}: {value}" for key, value in fields.items() if value), "---", body])


def problems_of(paths: Sequence[Path]) -> list[str]:
    with pytest.raises(BadArticle) as caught:
        read(paths)
    assert str(caught.value).splitlines() == list(caught.value.problems)
    return list(caught.value.problems)


def as_markdown(article: Article) -> str:
    return markdown(
        article.body,
        id=article.id,
        title=article.title,
        language=article.language,
        audience=article.audience,
        translation_of=article.translation_of or "",
        tags=f"[{', '.join(article.tags)}]",
    )


def as_json(article: Article) -> str:
    names = ("id", "language", "title", "body", "audience", "translation_of", "tags")
    return json.dumps({name: getattr(article, name) for name in names}, ensure_ascii=False)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_article_in_every_form_is_the_same_article(tmp_path: Path, language: str) -> None:
    (article,) = [a for a in help_centre() if a.language == language and a.id.startswith("password")]
    (tmp_path / "a.md").write_text(as_markdown(article), encoding="utf-8")
    (tmp_path / "windows.md").write_bytes(b"\xef\xbb\xbf" + as_markdown(article).replace("\n", "\r\n").encode())
    (tmp_path / "a.jsonl").write_text(f"\n{as_json(article)}\n", encoding="utf-8")
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(as_json(article).encode()))
    for file in tmp_path.iterdir():
        assert read([file]).articles == (article,)


def test_a_folder_is_read_whole(tmp_path: Path) -> None:
    articles = help_centre()
    for article in articles[:9]:
        (tmp_path / article.language).mkdir(exist_ok=True)
        (tmp_path / article.language / f"{article.id}.md").write_text(as_markdown(article), encoding="utf-8")
    (tmp_path / "rest.jsonl").write_text("\n".join(map(as_json, articles[9:])), encoding="utf-8")
    (tmp_path / "macros.yaml").write_text(MACRO, encoding="utf-8")
    (tmp_path / "logo.svg").write_text("<svg/>")
    found = read([tmp_path])
    assert sorted(found.articles, key=lambda a: a.id) == sorted(articles, key=lambda a: a.id)
    assert [macro.id for macro in found.macros] == ["th-late", "ru-thanks"]


def test_macros_come_from_yaml(tmp_path: Path) -> None:
    (tmp_path / "macros.yaml").write_text(MACRO, encoding="utf-8")
    first, second = read([tmp_path / "macros.yaml"]).macros
    text = "ขออภัยค่ะคุณ{{customer_name}}\nกำลังตามพัสดุให้อยู่นะคะ"
    assert first == Macro("th-late", "พัสดุล่าช้า", "th", ("delivery.not_received",), text)
    assert second.text == "Рады помочь!"


def test_a_readme_is_an_article_only_when_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "returns.md").write_text(markdown())
    (tmp_path / "README.md").write_text("# How we write articles\n\nKeep them short.")
    assert [a.id for a in read([tmp_path]).articles] == ["returns-en"]
    (tmp_path / "README.md").write_text(markdown(id="about-us"))
    assert {a.id for a in read([tmp_path]).articles} == {"returns-en", "about-us"}


@pytest.mark.parametrize(
    ("written", "kept"),
    [("zh-TW", "zh-Hant"), ("zh-CN", "zh-Hans"), ("en-GB", "en"), ("TH", "th"), ("no", "no"), ("vi-VN", "vi")],
)
def test_language_codes_are_kept_in_one_form(tmp_path: Path, written: str, kept: str) -> None:
    (tmp_path / "a.md").write_text(markdown(language=written))
    assert read([tmp_path]).articles[0].language == kept


def test_audience_is_public_unless_it_says_internal(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(markdown())
    (tmp_path / "b.md").write_text(markdown(id="goodwill", audience="internal"))
    assert [a.audience for a in read([tmp_path]).articles] == [Audience.PUBLIC, Audience.INTERNAL]


WRONG = {
    "no-front-matter.md": ("Return it within 30 days.", "has no front matter"),
    "no-id.md": (markdown(id=""), "has no id"),
    "odd-id.md": (markdown(id="'returns in English'"), "id 'returns in English' should be 1 to 200 letters"),
    "audience.md": (markdown(id="a1", audience="everyone"), "audience 'everyone' is neither public nor internal"),
    "language.md": (markdown(id="a2", language="xx"), "unknown language code 'xx'"),
    "no-language.md": (markdown(id="a3", language=""), "has no language; write it there"),
    "no-title.md": (markdown(id="a4", title=""), "has no title"),
    "title.md": (markdown(id="a5", title="404"), "title should be text, and is 404; put it in quotes"),
    "long-title.md": (markdown(id="a6", title="退货" * 200), "title has 400 characters; the limit is 300"),
    "empty.md": (markdown("  \n\n", id="a7"), "has no body"),
    "long.md": (markdown("ก" * (MAX_BODY + 1), id="a8"), "body has 200,001 characters; the limit is 200,000"),
    "yaml.md": (markdown(id="[a9"), "cannot be read"),
    "date.md": (markdown(id="b1", title="2026-02-30"), "cannot be read"),
    "itself.md": (markdown(id="b2", translation_of="b2"), "translation_of names the article itself (b2)"),
    "original.md": (markdown(id="b3", translation_of="[b1]"), "translation_of should be an article's id"),
    "tags.md": (markdown(id="b4", tags="returns"), "tags should be a list of words, and is 'returns'"),
    "list.md": ("---\n- id\n---\nText", "should be a mapping with an id, and is list"),
    "line.jsonl": ('{"id": "b5",\n', "is not JSON"),
    "macro.yaml": ("[{id: m1, title: Hi, language: en, intents: [a], text: ''}]", "has no text"),
    "empty.yaml": ("", "should be a mapping with an id, and is NoneType"),
}


def test_everything_that_is_wrong_is_named_at_once_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "right.md").write_text(markdown())
    for name, (content, _) in WRONG.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    (tmp_path / "latin.md").write_bytes(markdown("Voilà").encode("latin-1"))
    packed = gzip.compress(b'{"id": "b6"}' * 50)
    (tmp_path / "half.jsonl.gz").write_bytes(packed[:30])
    (tmp_path / "bits.jsonl.gz").write_bytes(packed[:10] + b"\xff" + packed[11:])
    problems = problems_of([tmp_path])
    expected = {name: said for name, (_, said) in WRONG.items()}
    expected |= {
        "latin.md": "cannot be read (is not UTF-8 (byte",
        "half.jsonl.gz": "cannot be read",
        "bits.jsonl.gz": "cannot be read",
    }
    assert len(problems) == len(expected)
    for name, said in expected.items():
        (problem,) = [line for line in problems if line.startswith(str(tmp_path / name))]
        assert said in problem


def test_one_article_can_have_several_problems(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(markdown("", language="xx", audience="all"))
    (problem,) = problems_of([tmp_path])
    assert all(said in problem for said in ("'xx'", "'all'", "has no body"))


def test_a_line_of_a_file_is_named_by_its_number(tmp_path: Path) -> None:
    right = {"id": "a", "language": "vi", "title": "Đổi trả", "body": "Trong 30 ngày."}
    rows = [right, right | {"id": "b", "language": "vn"}, right | {"id": "c", "body": ""}]
    (tmp_path / "a.jsonl").write_text("\n\n".join(json.dumps(row) for row in rows))
    assert [problem.partition(": ")[0] for problem in problems_of([tmp_path])] == [
        f"{tmp_path / 'a.jsonl'}:3",
        f"{tmp_path / 'a.jsonl'}:5",
    ]


def test_two_articles_with_one_id_name_both_files(tmp_path: Path) -> None:
    (tmp_path / "first.md").write_text(markdown())
    (tmp_path / "second.md").write_text(markdown(title="Returns again"))
    (problem,) = problems_of([tmp_path])
    assert problem.startswith(str(tmp_path / "second.md"))
    assert "'returns-en' is already taken" in problem
    assert str(tmp_path / "first.md") in problem


def test_a_missing_path_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(NothingToImport, match=r"articles does not exist. Name a folder"):
        read([tmp_path / "articles"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingToImport, match=r"No article or macro under .*empty: \.md"):
        read([tmp_path / "empty"])
