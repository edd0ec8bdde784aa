"""HTML and Markdown made safe to show: what is kept as an article's body is Markdown in which nothing can run."""

import re

import nh3
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt
from markdownify import ATX, MarkdownConverter

_TAGS = {
    *("a", "b", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6"),
    *("hr", "i", "li", "ol", "p", "pre", "s", "section", "span", "strong", "sub", "sup", "table", "tbody", "td"),
    *("tfoot", "th", "thead", "tr", "u", "ul"),
}
# Of all others what is in them stays: left open by mistake they would take the rest of the page with them.
_WITH_ALL_IN_IT = {"script", "style"}
_SCHEMES = {"http", "https", "mailto", "tel"}
_LIKE_A_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_LINK_IN_BRACKETS = re.compile(r"<((?:https?|mailto|tel):[^\s<>]+)>")
_SCHEME = re.compile(r"[a-z][a-z0-9+.\-]*(?=:)")
_BLANK_LINES = re.compile(r"\n{3,}")

_MARKDOWN = MarkdownIt("commonmark").enable("table")
# Every link is taken for one, so that those which a laxer reader of Markdown would follow are seen here.
_MARKDOWN.validateLink = bool  # type: ignore[assignment, method-assign]
_CONVERTER = MarkdownConverter(
    heading_style=ATX, bullets="-", escape_asterisks=False, escape_underscores=False, autolinks=False
)


def from_html(html: str) -> str:
    """HTML as Markdown: headings, lists, tables and links stay; scripts, forms, pictures and styles go.

    Raises:
        ValueError: when elements are nested more deeply than they can be followed.
    """
    clean = nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags=_WITH_ALL_IN_IT,
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes=_SCHEMES,
        link_rel=None,
    )
    try:
        text: str = _CONVERTER.convert_soup(BeautifulSoup(clean, "html.parser"))
    except RecursionError as error:
        raise ValueError("has HTML that is nested too deeply to be read; flatten it") from error
    lines = (line.rstrip() for line in text.replace("\xa0", " ").splitlines())
    return escaped(_BLANK_LINES.sub("\n\n", "\n".join(lines)).strip())


def from_markdown(text: str) -> str:
    """The Markdown as it is, unless it holds HTML or a link that is no link to a page; then cleaned as HTML is.

    Raises:
        ValueError: as `from_html`.
    """
    if "]" not in text and not _LIKE_A_TAG.search(text):
        return text
    tokens = _MARKDOWN.parse(text)
    inside = [child for token in tokens for child in token.children or ()]
    if any(token.type in ("html_block", "html_inline") or _runs(token) for token in (*tokens, *inside)):
        return from_html(_MARKDOWN.render(text))
    return escaped(text)


def escaped(text: str) -> str:
    """What looks like the start of a tag, written so that it shows as itself; a lone `<` stays."""
    return _LIKE_A_TAG.sub("&lt;", _LINK_IN_BRACKETS.sub(r"\1", text))


def _runs(token: object) -> bool:
    attrs = getattr(token, "attrs", {})
    scheme = _SCHEME.match(str(attrs.get("href") or attrs.get("src") or "").lower())
    return scheme is not None and scheme[0] not in _SCHEMES
