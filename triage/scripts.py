"""What a text shows by its letters alone: which scripts it holds, which prevails, and which form of Han it is."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Script:
    """The letters of a script as a regex class, and the languages that are written in it."""

    letters: str
    languages: str


SCRIPTS = {
    "latin": Script(
        "A-Za-zÀ-ÖØ-öø-ʯḀ-ỿ",
        "af az bs ca cs cy da de en eo es et eu fi fr ga hr hu id is it la lg lt lv mi ms nb nl nn pl pt ro sk sl sn "
        "so sq st sv sw tl tn tr ts vi xh yo zu",
    ),
    "cyrillic": Script("Ѐ-ԯ", "be bg kk mk mn ru sr uk"),
    "thai": Script("\u0e01-\u0e3a\u0e40-\u0e4e", "th"),
    "han": Script("\u3005\u3007\u3105-\u312f\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff", "zh zh-Hans zh-Hant"),
    "kana": Script("\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\uff66-\uff9d", "ja"),
    "hangul": Script("\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3", "ko"),
    "arabic": Script("\u0620-\u065f\u066e-\u06ef\u06fa-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc", "ar fa ur"),
    "hebrew": Script("\u0591-\u05f2", "he"),
    "greek": Script("Ͱ-Ͽἀ-\u1fff", "el"),
    "devanagari": Script("\u0900-\u0963\u0970-\u097f", "hi mr"),
    "bengali": Script("\u0980-\u09e3\u09f0\u09f1", "bn"),
    "gurmukhi": Script("\u0a01-\u0a5e\u0a70-\u0a75", "pa"),
    "gujarati": Script("\u0a81-\u0ae3", "gu"),
    "tamil": Script("\u0b82-\u0bd7", "ta"),
    "telugu": Script("\u0c00-\u0c63", "te"),
    "armenian": Script("\u0531-\u0587", "hy"),
    "georgian": Script("\u10a0-\u10ff\u1c90-\u1cbf", "ka"),
}
SCRIPT_OF = {code: name for name, script in SCRIPTS.items() for code in script.languages.split()}

# How many lower-case Latin letters a letter is worth. A Han character says what three do; and everywhere customers put
# Latin words among their own, in capitals most often, because brands and products have Latin names.
_WEIGHTS = dict.fromkeys(SCRIPTS, 1.5) | {"latin": 1.0, "thai": 3.0, "han": 3.0, "kana": 3.0, "hangul": 3.0}
NAME_WEIGHT = 0.3
"""What a Latin word with capitals counts beside one without."""

_RUN = re.compile(
    r"(?=[^\W\d_])(?:"
    + "|".join(rf"(?P<{name}>[{s.letters}][{s.letters} ,.!?\n'’，。、！？：]*)" for name, s in SCRIPTS.items())
    + ")"
)
LATIN_WORD = re.compile("[{0}]+(?:['’][{0}]+)*".format(SCRIPTS["latin"].letters))

# Whatever holds a digit, @, / or _, and names of hosts: order numbers, sizes, telephone numbers, addresses.
_PLAIN = r"[!-\-:-?A-Z\[-^`-~]*+"
_HOST = r"\.(?:com|net|org|io|app|shop|vn|th|tw|hk|cn|ru|example)\b"
_NO_EVIDENCE = re.compile(rf"(?=[!-~])(?<![!-~]){_PLAIN}(?:(?!{_HOST})\.{_PLAIN})*+[0-9@/_.][!-~]*")
_WINDOW = 400
"""Code points that are read; of a longer text, half from its head and half from its tail."""


def runs_by_script(text: str) -> dict[str, str]:
    """What stands in each script that occurs, without addresses and numbers."""
    if len(text) > _WINDOW:
        text = f"{text[: _WINDOW // 2]} {text[-_WINDOW // 2 :]}"
    runs: dict[str, str] = {}
    for run in _RUN.finditer(_NO_EVIDENCE.sub(" ", unicodedata.normalize("NFC", text))):
        script = run.lastgroup or ""
        runs[script] = f"{runs[script]} {run[0]}" if script in runs else run[0]
    return runs


def prevailing_script(runs: Mapping[str, str]) -> tuple[str, float]:
    """The script that weighs most, and how clearly: 1 where there is no other, 0.5 where another weighs the same."""
    if len(runs) == 1:
        (script,) = runs
        return ("han" if script == "kana" else script), 1.0
    weights = {script: _WEIGHTS[script] * (len(run) - run.count(" ")) for script, run in runs.items()}
    if "latin" in runs:
        words = LATIN_WORD.findall(runs["latin"])
        weights["latin"] = sum(len(word) * (1.0 if word.islower() else NAME_WEIGHT) for word in words)
    if "kana" in weights:  # Japanese mixes the two, and which of them prevails says nothing
        weights["han"] = weights.get("han", 0.0) + weights.pop("kana")
    script = max(weights, key=lambda name: weights[name])
    most, rest = weights[script], sum(weights.values()) - weights[script]
    return script, most**2 / (most**2 + rest**2)


@dataclass(frozen=True, slots=True)
class HanForms:
    """Characters that only one way of writing Han has."""

    simplified: frozenset[str]
    traditional: frozenset[str]
    japanese: frozenset[str]


@cache
def han_forms() -> HanForms:
    """Read off the character sets of mainland China, Taiwan and Japan.

    What China writes every day and Big5 keeps among its rare characters is simplified too.
    """
    china, taiwan, japan = _encodable("gb2312"), _encodable("big5"), _encodable("cp932")
    rare_in_taiwan = _encodable("gb2312", last_lead=0xD7) - _encodable("big5", last_lead=0xC6)
    bopomofo = map(chr, range(0x3105, 0x3130))
    return HanForms(
        simplified=china - taiwan | rare_in_taiwan | set("么听几"),
        traditional=taiwan - china | set(bopomofo) | set("喔唔咗嘅喺哋啲冇嚟喇"),
        japanese=japan - china - taiwan,
    )


def _encodable(codec: str, last_lead: int = 0xFF) -> frozenset[str]:
    """The Han characters of a two-byte set up to the lead byte `last_lead`; the sets list the frequent ones first."""
    pairs = "".join(map(chr, range(0x4E00, 0xA000))).encode(codec, "ignore")
    kept = (pairs[at : at + 2] for at in range(0, len(pairs), 2) if pairs[at] <= last_lead)
    return frozenset(b"".join(kept).decode(codec))
