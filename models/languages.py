"""Language codes as the whole program uses them: BCP 47, with a script only where it makes another written language."""

import langcodes

UNDETERMINED = "und"


def canonical_language(code: str) -> str:
    """`zh-TW` as `zh-Hant`, `en-US` as `en`: the form under which a desk's languages are compared.

    Raises:
        ValueError: for a code that BCP 47 does not know.
    """
    known = langcodes.tag_is_valid(code) if code else False
    if not known:
        raise ValueError(f"unknown language code {code!r}; send BCP 47, such as en, th or zh-Hant")
    language = langcodes.Language.get(code)
    if language.language == "zh":
        return f"zh-{language.maximize().script}"
    return language.language or UNDETERMINED
