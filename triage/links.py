"""Links and e-mail addresses. Both are ASCII, save Russian hosts and paths, so that Thai and Chinese end them."""

import re
from collections.abc import Iterator

_CHARACTER = r"[a-zа-яё0-9\-._~:/?#\[\]@!$&'()*+,;=%]"
# A host with one of the other endings needs a path: "help.me" and "ơi.shop" are sentences without a space.
_BARE_HOST = (
    r"(?<![a-zà-ɏạ-ỹа-я0-9@._-])(?:[a-z0-9][a-z0-9-]{0,62}\.){1,5}(?:"
    rf"(?:com|net|org|info|biz|example|vn|th|cn|tw|hk|ru|su|uk|jp|kr|sg|eu)(?![a-z0-9@-]|\.[a-z0-9])(?:/{_CHARACTER}*)?"
    r"|(?:ai|app|cc|click|club|co|de|dev|fr|gg|gl|id|in|io|link|live|ly|me|mobi|my|online|page|pro|shop|site|store|to|top"
    rf"|tv|us|vip|xyz)/{_CHARACTER}+)"
)
_URL = re.compile(rf"(?:https?://|(?<![a-z0-9])www\.){_CHARACTER}+|{_BARE_HOST}", re.IGNORECASE)
_NOT_AT_THE_END = ".,;:!?'*_~-([@&="
_EMAIL = re.compile(
    r"(?<![a-z0-9._%+-])[a-z0-9._%+-]{1,64}@(?:[a-z0-9][a-z0-9-]{0,62}\.){1,8}[a-z]{2,24}(?![a-z0-9])", re.IGNORECASE
)


def find_urls(text: str) -> Iterator[tuple[int, int]]:
    """The spans of the links in `text`, with and without a scheme, without the punctuation of the sentence."""
    for found in _URL.finditer(text):
        url = found[0].rstrip(_NOT_AT_THE_END)
        # "(see torvela.com/a)" closes the bracket of the sentence, "wiki/A_(b)" its own.
        while url.endswith((")", "]")) and url.count("(") + url.count("[") < url.count(")") + url.count("]"):
            url = url[:-1].rstrip(_NOT_AT_THE_END)
        yield found.start(), found.start() + len(url)


def find_emails(text: str) -> Iterator[tuple[int, int]]:
    """The spans of the e-mail addresses in `text`."""
    return (found.span() for found in _EMAIL.finditer(text))
