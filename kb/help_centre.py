"""A help centre's export as rows: the JSON of Zendesk's Help Center API, its pages put together in one file.

Shape: `articles` as `GET /api/v2/help_center/articles` lists them; beside them, if they were exported too,
`translations` (`…/articles/{id}/translations`, each with `source_id`), `sections` and `categories`.
Source: Zendesk's API reference, "Articles", "Translations", "Sections" and "User Segments".
"""

from collections.abc import Iterator, Mapping
from typing import Any

from kb.markup import from_html
from models.languages import canonical_language

Row = dict[str, Any]


def is_export(content: object) -> bool:
    return isinstance(content, dict) and isinstance(content.get("articles"), list)


def rows(export: Mapping[str, Any]) -> Iterator[tuple[str, Row | ValueError]]:
    """A row for each article in each of its languages, with what to call it in messages; bad ones as a ValueError.

    An article that not everybody may see is internal: who belongs to a user segment is not in the export.

    Raises:
        ValueError: when a part of the export is no list.
    """
    sections = _by_id(export, "sections")
    categories = _by_id(export, "categories")
    originals = _by_id(export, "articles")
    for number, article in enumerate(_list(export, "articles"), 1):
        yield f"article {number}", _row(article, article, sections, categories)
    for number, translation in enumerate(_list(export, "translations"), 1):
        original = originals.get(str(translation.get("source_id"))) if isinstance(translation, dict) else None
        place = f"translation {number}"
        if original is None:
            yield place, ValueError("names no article of this export as its source_id")
        # The list of articles has each in the language that it was asked for; that one is there already.
        elif translation.get("locale") != original.get("locale"):
            yield place, _row({**original, **_own(translation)}, original, sections, categories)


def _row(
    article: Any, original: Mapping[str, Any], sections: Mapping[str, Row], categories: Mapping[str, Row]
) -> Row | ValueError:
    if not isinstance(article, dict):
        return ValueError(f"should be an object with id and body, and is {type(article).__name__}")
    try:
        language = canonical_language(str(article.get("locale") or ""))
        source = canonical_language(str(original.get("source_locale") or article.get("locale") or ""))
        body = from_html(str(article.get("body") or ""))
    except ValueError as error:
        return error
    section = sections.get(str(article.get("section_id")), {})
    path = [categories.get(str(section.get("category_id")), {}).get("name"), section.get("name")]
    number = article.get("id")
    return {
        "id": None if number is None else f"{number}/{language}",
        "language": language,
        "title": article.get("title") or article.get("name"),
        "body": body,
        "audience": "internal" if _is_internal(article, section) else "public",
        "translation_of": None if language == source else f"{number}/{source}",
        "tags": article.get("label_names") or [],
        "section": " / ".join(str(part) for part in path if part),
        "draft": bool(article.get("draft")),
        "updated_at": article.get("edited_at") or article.get("updated_at"),
    }


def _is_internal(article: Mapping[str, Any], section: Mapping[str, Any]) -> bool:
    policy = section.get("access_policy")
    seen_by = policy.get("viewable_by", "everybody") if isinstance(policy, dict) else "everybody"
    segments = article.get("user_segment_id") is not None or bool(article.get("user_segment_ids"))
    return bool(article.get("internal")) or segments or seen_by != "everybody"


def _own(translation: Mapping[str, Any]) -> Row:
    names = ("locale", "title", "body", "draft", "updated_at", "edited_at")
    return {"edited_at": None, **{name: translation[name] for name in names if name in translation}}


def _by_id(export: Mapping[str, Any], kind: str) -> dict[str, Row]:
    return {str(entry["id"]): entry for entry in _list(export, kind) if isinstance(entry, dict) and "id" in entry}


def _list(export: Mapping[str, Any], kind: str) -> list[Any]:
    found = export.get(kind) or []
    if not isinstance(found, list):
        raise ValueError(f"{kind} should be a list, and is {type(found).__name__}")
    return found
