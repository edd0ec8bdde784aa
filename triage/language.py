"""Which of the desk's languages a message is written in: its script first, statistics only within one script.

A script costs microseconds and settles Thai, Chinese, Japanese, Korean and most desks' Russian. Languages that share
one are told apart by lingua, with langdetect beside it where lingua is unsure. `benchmarks/language_id.py` measures it.
"""

import json
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from triage.types import UNDETERMINED, DetectedLanguage

if TYPE_CHECKING:
    from lingua import LanguageDetector as Lingua


class LanguageDetector(Protocol):
    """Says which language each text is in. The real one is `ScriptFirstDetector`."""

    def detect(self, texts: Sequence[str]) -> list[DetectedLanguage]:
        """One language per text, in their order; `und` with confidence 0 where a text holds no evidence."""


@dataclass(frozen=True, slots=True)
class _Script:
    """The letters of a script as a regex class, and the languages that are written in it."""

    letters: str
    languages: str


_SCRIPTS = {
    "latin": _Script(
        "A-Za-zÀ-ÖØ-öø-ʯḀ-ỿ",
        "af az bs ca cs cy da de en eo es et eu fi fr ga hr hu id is it la lg lt lv mi ms nb nl nn pl pt ro sk sl sn "
        "so sq st sv sw tl tn tr ts vi xh yo zu",
    ),
    "cyrillic": _Script("Ѐ-ԯ", "be bg kk mk mn ru sr uk"),
    "thai": _Script("\u0e01-\u0e3a\u0e40-\u0e4e", "th"),
    "han": _Script("\u3005\u3007\u3105-\u312f\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff", "zh zh-Hans zh-Hant"),
    "kana": _Script("\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\uff66-\uff9d", "ja"),
    "hangul": _Script("\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3", "ko"),
    "arabic": _Script("\u0620-\u065f\u066e-\u06ef\u06fa-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc", "ar fa ur"),
    "hebrew": _Script("\u0591-\u05f2", "he"),
    "greek": _Script("Ͱ-Ͽἀ-\u1fff", "el"),
    "devanagari": _Script("\u0900-\u0963\u0970-\u097f", "hi mr"),
    "bengali": _Script("\u0980-\u09e3\u09f0\u09f1", "bn"),
    "gurmukhi": _Script("\u0a01-\u0a5e\u0a70-\u0a75", "pa"),
    "gujarati": _Script("\u0a81-\u0ae3", "gu"),
    "tamil": _Script("\u0b82-\u0bd7", "ta"),
    "telugu": _Script("\u0c00-\u0c63", "te"),
    "armenian": _Script("\u0531-\u0587", "hy"),
    "georgian": _Script("\u10a0-\u10ff\u1c90-\u1cbf", "ka"),
}
_SCRIPT_OF = {code: name for name, script in _SCRIPTS.items() for code in script.languages.split()}

# How many lower-case Latin letters a letter is worth. A Han character says what three do; and everywhere customers put
# Latin words among their own, in capitals most often, because brands and products have Latin names.
_WEIGHTS = dict.fromkeys(_SCRIPTS, 1.5) | {"latin": 1.0, "thai": 3.0, "han": 3.0, "kana": 3.0, "hangul": 3.0}
_NAME_WEIGHT = 0.3

_RUN = re.compile(
    r"(?=[^\W\d_])(?:"
    + "|".join(rf"(?P<{name}>[{s.letters}][{s.letters} ,.!?\n'’，。、！？：]*)" for name, s in _SCRIPTS.items())
    + ")"
)
_LATIN_WORD = re.compile("[{0}]+(?:['’][{0}]+)*".format(_SCRIPTS["latin"].letters))

# Whatever holds a digit, @, / or _, and names of hosts: order numbers, sizes, telephone numbers, addresses.
_PLAIN = r"[!-\-:-?A-Z\[-^`-~]*+"
_HOST = r"\.(?:com|net|org|io|app|shop|vn|th|tw|hk|cn|ru|example)\b"
_NO_EVIDENCE = re.compile(rf"(?=[!-~])(?<![!-~]){_PLAIN}(?:(?!{_HOST})\.{_PLAIN})*+[0-9@/_.][!-~]*")
_WINDOW = 400
"""Code points that are read; of a longer text, half from its head and half from its tail."""
_KANA_IN_JAPANESE = 0.1
_SURE = 0.99
_NONE = DetectedLanguage(UNDETERMINED, 0.0)


class ScriptFirstDetector:
    """Decides by script, then by letters within one script, and never leaves the desk's languages.

    Safe for many threads. lingua (about 190 MB) and langdetect load with the first text that needs them, so that a
    desk that reads Thai and Chinese alone never pays for them. Confidence errs on the careful side: of what gets 0.5 to
    0.6, three in four are right, and from 0.9 on, 99 in a hundred.

    Args:
        languages: BCP 47 codes. Chinese that could be of either form takes the one that stands first.

    Raises:
        ValueError: when no language is given, one is unknown, or `zh` stands beside one of its forms.
    """

    def __init__(self, languages: Sequence[str]) -> None:
        supported = ", ".join(sorted(_SCRIPT_OF))
        if not languages:
            raise ValueError(f"A desk needs at least one language. Supported: {supported}.")
        by_script: dict[str, tuple[str, ...]] = {}
        for code in dict.fromkeys(languages):
            if code not in _SCRIPT_OF:
                raise ValueError(f"Language {code!r} is not supported. Use some of: {supported}.")
            by_script[_SCRIPT_OF[code]] = (*by_script.get(_SCRIPT_OF[code], ()), code)
        self._chinese = by_script.pop("han", ())
        self._japanese = by_script.pop("kana", ())
        self._by_script = by_script
        if "zh" in self._chinese and len(self._chinese) > 1:
            raise ValueError(f"Languages {', '.join(self._chinese)} overlap. Use zh alone, or zh-Hans and zh-Hant.")

    def detect(self, texts: Sequence[str]) -> list[DetectedLanguage]:
        return [self._detect(text) for text in texts]

    def _detect(self, text: str) -> DetectedLanguage:
        runs = _runs(text)
        if not runs:
            return _NONE
        script, share = _prevailing(runs)
        if script == "han":
            found = self._east_asian(runs.get("han", ""), runs.get("kana", ""))
        elif codes := self._by_script.get(script):
            found = _latin(codes, runs[script]) if script == "latin" else _other(codes, runs[script])
        else:
            return _NONE
        return DetectedLanguage(found.code, round(found.confidence * share, 4))

    def _east_asian(self, han: str, kana: str) -> DetectedLanguage:
        if len(kana) > _KANA_IN_JAPANESE * len(han + kana):
            if self._japanese:
                return DetectedLanguage("ja", _SURE)
            return self._chinese_form(han, 0.5) if len(han) > len(kana) else _NONE
        if self._japanese:
            japanese = len(_forms().japanese.intersection(han))
            if not self._chinese or 0 < japanese >= len(_forms().traditional.intersection(han)):
                return DetectedLanguage("ja", 0.8 if japanese else 0.6)
        return self._chinese_form(han, _SURE)

    def _chinese_form(self, han: str, confidence: float) -> DetectedLanguage:
        if len(self._chinese) < 2:
            return DetectedLanguage(self._chinese[0], confidence) if self._chinese else _NONE
        forms = _forms()
        simplified, traditional = len(forms.simplified.intersection(han)), len(forms.traditional.intersection(han))
        if simplified == traditional:
            return DetectedLanguage(self._chinese[0], min(confidence, 0.5))
        certainty = (max(simplified, traditional) + 0.1) / (simplified + traditional + 0.2)
        return DetectedLanguage("zh-Hans" if simplified > traditional else "zh-Hant", min(confidence, certainty))


def _runs(text: str) -> dict[str, str]:
    """What stands in each script that occurs, without addresses and numbers."""
    if len(text) > _WINDOW:
        text = f"{text[: _WINDOW // 2]} {text[-_WINDOW // 2 :]}"
    runs: dict[str, str] = {}
    for run in _RUN.finditer(_NO_EVIDENCE.sub(" ", unicodedata.normalize("NFC", text))):
        script = run.lastgroup or ""
        runs[script] = f"{runs[script]} {run[0]}" if script in runs else run[0]
    return runs


def _prevailing(runs: Mapping[str, str]) -> tuple[str, float]:
    """The script that weighs most, and how clearly: 1 where there is no other, 0.5 where another weighs the same."""
    if len(runs) == 1:
        (script,) = runs
        return ("han" if script == "kana" else script), 1.0
    weights = {script: _WEIGHTS[script] * (len(run) - run.count(" ")) for script, run in runs.items()}
    if "latin" in runs:
        words = _LATIN_WORD.findall(runs["latin"])
        weights["latin"] = sum(len(word) * (1.0 if word.islower() else _NAME_WEIGHT) for word in words)
    if "kana" in weights:  # Japanese mixes the two, and which of them prevails says nothing
        weights["han"] = weights.get("han", 0.0) + weights.pop("kana")
    script = max(weights, key=lambda name: weights[name])
    most, rest = weights[script], sum(weights.values()) - weights[script]
    return script, most**2 / (most**2 + rest**2)


@dataclass(frozen=True, slots=True)
class _Forms:
    """Characters that only one way of writing Han has."""

    simplified: frozenset[str]
    traditional: frozenset[str]
    japanese: frozenset[str]


@cache
def _forms() -> _Forms:
    """Read off the character sets of mainland China, Taiwan and Japan.

    What China writes every day and Big5 keeps among its rare characters is simplified too.
    """
    china, taiwan, japan = _encodable("gb2312"), _encodable("big5"), _encodable("cp932")
    rare_in_taiwan = _encodable("gb2312", last_lead=0xD7) - _encodable("big5", last_lead=0xC6)
    bopomofo = map(chr, range(0x3105, 0x3130))
    return _Forms(
        simplified=china - taiwan | rare_in_taiwan | set("么听几"),
        traditional=taiwan - china | set(bopomofo) | set("喔唔咗嘅喺哋啲冇嚟喇"),
        japanese=japan - china - taiwan,
    )


def _encodable(codec: str, last_lead: int = 0xFF) -> frozenset[str]:
    """The Han characters of a two-byte set up to the lead byte `last_lead`; the sets list the frequent ones first."""
    pairs = "".join(map(chr, range(0x4E00, 0xA000))).encode(codec, "ignore")
    kept = (pairs[at : at + 2] for at in range(0, len(pairs), 2) if pairs[at] <= last_lead)
    return frozenset(b"".join(kept).decode(codec))


# Vietnamese with or without its accents: nearly every word is one syllable built like this, and of the words of other
# Latin languages one in six is. The weights are log odds, fitted on MASSIVE's training part and even lines of langid.
_ONSETS = " b c ch d g gh h k kh l m n ng ngh nh ph qu r s t th tr v x gi"
_RHYMES = (
    "a ac ach ai am an ang anh ao ap at au ay e ech em en eng enh eo ep et eu i ia ich iec iem ien ieng iep iet ieu im "
    "in inh ip it iu o oa oac oach oai oam oan oang oanh oao oat oay oc oe oen oeo oet oi om on ong op ot u ua uan uat "
    "uay uc ue uenh ui uich um un ung uoc uoi uom uon uong uop uot uou up ut uu uy uya uych uyen uyet uynh uyt y yem "
    "yen yet yeu"
)
_TELLING_ONSETS = "gi kh ng ngh nh ph x"
_TELLING_RHYMES = (
    "ac ai anh ao enh iec iem ien ieng iep iet ieu inh oa oai oan oi ong ua uan uat uc ung uoc uoi uon uong uyen uyet "
    "yeu"
)
_COMMON_ELSEWHERE = (
    "the to in en na sa at et un um on it is que de la le se si me mi my no so do da di du dan den det het ich van von "
    "som ay ang pa che by an am can com con mit be he we set get up us not mich nach dem hat man kan om op din bu ve "
    "non ce ha han los por as go but let then them that than may day hay son sin muy tren te tu lo su bien quien san "
    "dia nu nem ne ke ki vi due long song hot top pop pay say yet run cut put hi got ten nao sao sem tem vai vao meu "
    "seu sua sim ai mai ao em au sau lui noi voi poi tua dua kau pun sang quiet bot mom tom hip hop"
)
_BORROWED = "ok shop size ship shipper app web email mail sale order check code dc sp ntn hok vs mk ck stk sdt"
_NO_SYLLABLE = -2.7
_VIETNAMESE_ONLY = re.compile("[ăđơưẠ-ỹ]")
_ACCENTED = "àáâãăèéêìíĩòóôõơùúũưý" + "".join(map(chr, range(0x1EA0, 0x1EFA)))
_UNACCENTED = str.maketrans({letter: unicodedata.normalize("NFD", letter)[0] for letter in _ACCENTED} | {"đ": "d"})


@cache
def _syllables() -> Mapping[str, float]:
    onsets, rhymes = set(_TELLING_ONSETS.split()), set(_TELLING_RHYMES.split())
    points = {
        onset + rhyme: 5.0 if onset in onsets or rhyme in rhymes else 3.5
        for onset in _ONSETS.split(" ")
        for rhyme in _RHYMES.split()
    }
    return points | dict.fromkeys(f"{_COMMON_ELSEWHERE} {_BORROWED}".split(), 0.0)


def _vietnamese_odds(words: Sequence[str]) -> float:
    """The log odds that `words` are Vietnamese; a capital among small letters counts less, a name has any language."""
    syllables, odds = _syllables(), 0.0
    any_small = any(map(str.islower, words))
    for word in words:
        small = word.lower()
        plain = small.translate(_UNACCENTED)
        if plain in syllables and _VIETNAMESE_ONLY.search(small):
            points = 5.0
        else:
            points = syllables.get(plain, _NO_SYLLABLE) if len(word) > 1 else 0.0
        odds += points * (_NAME_WEIGHT if any_small and not word.islower() else 1.0)
    return odds


_CERTAINLY_VIETNAMESE = 8.0
_LINGUA_SURE = 0.6
_ENOUGH_WORDS = 4
"""langdetect is not asked about fewer: of word pairs it gets every fifth wrong, and lingua every twentieth."""
_MASHED_WORDS = 12
"""How many are looked at to tell mashed keys from a language."""
_NOT_RUSSIAN = re.compile("[ґєіїўђјљњћџѓќѕәғқңөұүһ]", re.IGNORECASE)


def _other(codes: tuple[str, ...], text: str) -> DetectedLanguage:
    """The language of a text in another script than Latin or Han."""
    if len(codes) > 1:
        return _by_statistics(codes, text.split())
    foreign = codes == ("ru",) and _NOT_RUSSIAN.search(text)
    return DetectedLanguage(codes[0], 0.5 if foreign else _SURE)


def _latin(codes: tuple[str, ...], text: str) -> DetectedLanguage:
    words = _LATIN_WORD.findall(text)
    odds = _vietnamese_odds(words) if "vi" in codes else 0.0
    if odds >= _CERTAINLY_VIETNAMESE:
        return DetectedLanguage("vi", _SURE)
    if codes == ("vi",):
        return DetectedLanguage("vi", 1 / (1 + math.exp(-odds))) if odds > 0 else _NONE
    if odds < 0:  # a Vietnamese name in other words, which lingua would take for proof
        words = [word for word in words if not _VIETNAMESE_ONLY.search(word.lower())] or words
    found = _by_statistics(codes, words, vietnamese=math.exp(max(-5.0, min(5.0, odds))))
    if odds > 0:
        return found
    plausible = max(0.0, min(1.0, 2.5 * (_share_of_known_trigrams(codes, words) - 0.25)))
    return DetectedLanguage(found.code, found.confidence * plausible) if plausible else _NONE


def _by_statistics(codes: tuple[str, ...], words: Sequence[str], *, vietnamese: float = 1.0) -> DetectedLanguage:
    """lingua's best, after `vietnamese`, the odds for it, and after langdetect where lingua is unsure.

    The threshold and langdetect's weight did best on even lines of langid and a part of MASSIVE.
    """
    if len(codes) == 1:
        return DetectedLanguage(codes[0], 0.9)
    text = " ".join(words)
    values = _lingua(codes).compute_language_confidence_values(text)
    found = {value.language.iso_code_639_1.name.lower(): value.value for value in values}
    if "vi" in found:
        found["vi"] *= vietnamese
    if not any(found.values()):
        return _NONE
    found = _shares(found)
    if max(found.values()) < _LINGUA_SURE and len(words) >= _ENOUGH_WORDS:
        second = _langdetect(codes, text)
        found = _shares({code: (share + 1e-4) * (second[code] + 0.1) ** 0.3 for code, share in found.items()})
    best = max(codes, key=lambda code: found[code])
    return DetectedLanguage(best, min(_SURE, found[best]))


def _shares(values: Mapping[str, float]) -> dict[str, float]:
    total = sum(values.values())
    return {code: value / total for code, value in values.items()}


@cache
def _lingua(codes: tuple[str, ...]) -> "Lingua":
    from lingua import Language, LanguageDetectorBuilder

    wanted = [language for language in Language.all() if language.iso_code_639_1.name.lower() in codes]
    return LanguageDetectorBuilder.from_languages(*wanted).build()


@cache
def _profiles(codes: tuple[str, ...]) -> Any:
    """langdetect's factory with the profiles of `codes` alone: faster than all 55, and apart from its global one."""
    from langdetect.detector_factory import PROFILES_DIRECTORY, DetectorFactory
    from langdetect.utils.lang_profile import LangProfile

    files = [file for code in codes if (file := Path(PROFILES_DIRECTORY, code)).is_file()]
    factory = DetectorFactory()
    for index, file in enumerate(files):
        factory.add_profile(LangProfile(**json.loads(file.read_text(encoding="utf-8"))), index, len(files))
    factory.set_seed(0)  # it samples; seeded, every detector starts from the same state
    return factory


def _langdetect(codes: tuple[str, ...], text: str) -> dict[str, float]:
    """langdetect's probability of each language; one that it has no profile of gets an even share."""
    from langdetect import LangDetectException

    factory = _profiles(codes)
    even = dict.fromkeys(codes, 1 / len(codes))
    if len(factory.langlist) < 2:
        return even
    detector = factory.create()
    detector.append(text)
    try:
        found = {language.lang: language.prob for language in detector.get_probabilities()}
    except LangDetectException:
        return even
    return even | {code: found.get(code, 0.0) for code in factory.langlist}


def _share_of_known_trigrams(codes: tuple[str, ...], words: Sequence[str]) -> float:
    """How much of a text could stand in any of the languages: above 0.7 for nearly all, below 0.5 for mashed keys."""
    factory = _profiles(codes)
    if len(factory.langlist) < len(codes):
        return 1.0
    padded = [f" {word.lower()} " for word in words[:_MASHED_WORDS]]
    trigrams = [word[at : at + 3] for word in padded for at in range(len(word) - 2)]
    known: Mapping[str, object] = factory.word_lang_prob_map
    return sum(trigram in known for trigram in trigrams) / len(trigrams)
