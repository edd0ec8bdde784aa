"""Which of the desk's languages a message is written in: its script first, statistics only within one script.

A script costs microseconds and settles Thai, Chinese, Japanese, Korean and most desks' Russian. Languages that share
one are told apart by lingua, with langdetect beside it where lingua is unsure. `benchmarks/language_id.py` measures it.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from triage.scripts import LATIN_WORD, SCRIPT_OF, han_forms, prevailing_script, runs_by_script
from triage.types import UNDETERMINED, DetectedLanguage
from triage.vietnamese import VIETNAMESE_ONLY, vietnamese_odds

if TYPE_CHECKING:
    from lingua import LanguageDetector as Lingua


class LanguageDetector(Protocol):
    """Says which language each text is in. The real one is `ScriptFirstDetector`."""

    def detect(self, texts: Sequence[str]) -> list[DetectedLanguage]:
        """One language per text, in their order; `und` with confidence 0 where a text holds no evidence."""


_KANA_IN_JAPANESE = 0.1
_SURE = 0.99
_NONE = DetectedLanguage(UNDETERMINED, 0.0)
_FLOOR = 0.1
"""Below this a guess is worth less than saying that there is none: mashed keys, and words of no language."""


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
        supported = ", ".join(sorted(SCRIPT_OF))
        if not languages:
            raise ValueError(f"A desk needs at least one language. Supported: {supported}.")
        by_script: dict[str, tuple[str, ...]] = {}
        for code in dict.fromkeys(languages):
            if code not in SCRIPT_OF:
                raise ValueError(f"Language {code!r} is not supported. Use some of: {supported}.")
            by_script[SCRIPT_OF[code]] = (*by_script.get(SCRIPT_OF[code], ()), code)
        self._chinese = by_script.pop("han", ())
        self._japanese = by_script.pop("kana", ())
        self._by_script = by_script
        if "zh" in self._chinese and len(self._chinese) > 1:
            raise ValueError(f"Languages {', '.join(self._chinese)} overlap. Use zh alone, or zh-Hans and zh-Hant.")

    def detect(self, texts: Sequence[str]) -> list[DetectedLanguage]:
        return [self._detect(text) for text in texts]

    def _detect(self, text: str) -> DetectedLanguage:
        runs = runs_by_script(text)
        if not runs:
            return _NONE
        script, share = prevailing_script(runs)
        if script == "han":
            found = self._east_asian(runs.get("han", ""), runs.get("kana", ""))
        elif codes := self._by_script.get(script):
            found = _latin(codes, runs[script]) if script == "latin" else _other(codes, runs[script])
        else:
            return _NONE
        confidence = round(found.confidence * share, 4)
        return DetectedLanguage(found.code, confidence) if confidence >= _FLOOR else _NONE

    def _east_asian(self, han: str, kana: str) -> DetectedLanguage:
        if len(kana) > _KANA_IN_JAPANESE * len(han + kana):
            if self._japanese:
                return DetectedLanguage("ja", _SURE)
            return self._chinese_form(han, 0.5) if len(han) > len(kana) else _NONE
        if self._japanese:
            japanese = len(han_forms().japanese.intersection(han))
            if not self._chinese or 0 < japanese >= len(han_forms().traditional.intersection(han)):
                return DetectedLanguage("ja", 0.8 if japanese else 0.6)
        return self._chinese_form(han, _SURE)

    def _chinese_form(self, han: str, confidence: float) -> DetectedLanguage:
        if len(self._chinese) < 2:
            return DetectedLanguage(self._chinese[0], confidence) if self._chinese else _NONE
        forms = han_forms()
        simplified, traditional = len(forms.simplified.intersection(han)), len(forms.traditional.intersection(han))
        if simplified == traditional:
            return DetectedLanguage(self._chinese[0], min(confidence, 0.5))
        certainty = (max(simplified, traditional) + 0.1) / (simplified + traditional + 0.2)
        return DetectedLanguage("zh-Hans" if simplified > traditional else "zh-Hant", min(confidence, certainty))


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
    words = LATIN_WORD.findall(text)
    odds = vietnamese_odds(words) if "vi" in codes else 0.0
    if odds >= _CERTAINLY_VIETNAMESE:
        return DetectedLanguage("vi", _SURE)
    if codes == ("vi",):
        return DetectedLanguage("vi", 1 / (1 + math.exp(-odds))) if odds > 0 else _NONE
    if odds < 0:  # a Vietnamese name in other words, which lingua would take for proof
        words = [word for word in words if not VIETNAMESE_ONLY.search(word.lower())] or words
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
