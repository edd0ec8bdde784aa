"""How likely words in Latin letters are Vietnamese, with its accents or, as many customers type, without them."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache

from triage.scripts import NAME_WEIGHT

VIETNAMESE_ONLY = re.compile("[ăđơưẠ-ỹ]")
"""Lower-case letters that hardly another language has; Romanian shares ă, Croatian đ."""


def vietnamese_odds(words: Sequence[str]) -> float:
    """The log odds that `words` are Vietnamese; a capital among small letters counts less, a name has any language."""
    syllables, odds = _syllables(), 0.0
    any_small = any(map(str.islower, words))
    for word in words:
        small = word.lower()
        plain = small.translate(_UNACCENTED)
        if plain in syllables and VIETNAMESE_ONLY.search(small):
            points = 5.0
        else:
            points = syllables.get(plain, _NO_SYLLABLE) if len(word) > 1 else 0.0
        odds += points * (NAME_WEIGHT if any_small and not word.islower() else 1.0)
    return odds


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
