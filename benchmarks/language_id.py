"""How often, and how fast, langdetect alone, lingua alone and Frontdesk's detector name the right language.

    python -m benchmarks.language_id [--every 6] [--json]

Thresholds and weights of Frontdesk's detector were chosen on even lines of langid and on lines of MASSIVE that are
not counted here, so odd lines are counted. Two things were chosen with a look at all lines of langid: the list of
words that Vietnamese shares with other languages, and the bound for mashed keys. The characters of the two forms of
Chinese come from character sets, with a few added by hand after a look at MASSIVE. Our own messages were seen
throughout, and up to three in a hundred are not in the language of their file (emoji, mashed keys, transliteration).

Each detector is restricted to the desk's languages: langdetect through its prior map and with a fixed seed, lingua
through its builder. langdetect knows no Malay, and lingua does not tell the two forms of Chinese apart.
"""

import argparse
import gzip
import json
import statistics
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from triage.language import ScriptFirstDetector

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
DESK = ("en", "vi", "th", "zh-Hans", "zh-Hant", "ru", "es", "pt", "fr", "de", "ja", "id")
LANGID_KINDS = ("sentences", "word-pairs", "single-words")
MASSIVE = {
    "zh-CN.dev": "zh-Hans",
    "zh-TW.dev": "zh-Hant",
    "vi-VN.train": "vi",
    "en-US.train": "en",
    "es-ES.train": "es",
    "de-DE.train": "de",
}
PLAIN_DESK = ("en", "vi", "th", "zh", "ru", "es", "pt", "fr", "de", "ja", "id")
LANGDETECT_NAMES = {"zh": ("zh-cn", "zh-tw"), "zh-Hans": ("zh-cn",), "zh-Hant": ("zh-tw",)}

Detect = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Row:
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Sample:
    name: str
    desk: tuple[str, ...]
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Result:
    sample: str
    detector: str
    texts: int
    accuracy: float
    median_ms: float


def langdetect_alone(desk: tuple[str, ...]) -> Detect:
    from langdetect import LangDetectException, detector_factory

    detector_factory.init_factory()
    factory = detector_factory._factory
    factory.set_seed(0)
    codes = {name: code for code in desk for name in LANGDETECT_NAMES.get(code, (code,))}
    prior = {name: 1.0 for name in codes if name in factory.langlist}

    def detect(text: str) -> str:
        detector = factory.create()
        detector.set_prior_map(prior)
        detector.append(text)
        try:
            return codes.get(detector.detect(), "und")
        except LangDetectException:
            return "und"

    return detect


def lingua_alone(desk: tuple[str, ...]) -> Detect:
    from lingua import Language, LanguageDetectorBuilder

    codes = {code.split("-")[0] for code in desk}
    wanted = [language for language in Language.all() if language.iso_code_639_1.name.lower() in codes]
    detector = LanguageDetectorBuilder.from_languages(*wanted).build()

    def detect(text: str) -> str:
        language = detector.detect_language_of(text)
        return language.iso_code_639_1.name.lower() if language else "und"

    return detect


def frontdesk(desk: tuple[str, ...]) -> Detect:
    detector = ScriptFirstDetector(desk)
    return lambda text: detector.detect([text])[0].code


DETECTORS = {"langdetect": langdetect_alone, "lingua": lingua_alone, "Frontdesk": frontdesk}


def samples(every: int) -> Iterator[Sample]:
    langid = {kind: odd(rows_of(DATA / "langid" / f"{kind}.jsonl.gz"), every) for kind in LANGID_KINDS}
    spoken = {row.language for rows in langid.values() for row in rows}
    for title, desk in (("the desk's languages", PLAIN_DESK), ("all its languages", tuple(sorted(spoken)))):
        for kind, rows in langid.items():
            name = f"langid {kind.replace('-', ' ')}, {title} ({len(spoken & set(desk))})"
            yield Sample(name, desk, [row for row in rows if row.language in desk])
    messages = [row for path in sorted(ROOT.glob("training/starter/messages/**/*.jsonl")) for row in rows_of(path)]
    for language in dict.fromkeys(row.language for row in messages):
        yield Sample(f"starter messages {language}", DESK, [row for row in messages if row.language == language])
    for part, language in MASSIVE.items():
        rows = odd(rows_of(DATA / "massive" / f"{part}.jsonl.gz", language), every * (2 if "dev" in part else 10))
        yield Sample(f"massive {part}", DESK, rows)
        if language == "vi":
            bare = [Row(unaccented(row.text), language) for row in rows]
            yield Sample(f"massive {part}, accents stripped", DESK, bare)


def rows_of(path: Path, language: str = "") -> list[Row]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    records = map(json.loads, content.splitlines())
    return [Row(record["text"], language or record["language"]) for record in records]


def odd(rows: Sequence[Row], every: int) -> Sequence[Row]:
    """Every `every`-th row, odd ones only."""
    return rows[1 :: every + every % 2]


def unaccented(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def measure(sample: Sample, name: str) -> Result:
    detect = DETECTORS[name](sample.desk)
    for row in sample.rows[:3]:  # models load on first use
        detect(row.text)
    right, seconds = 0, []
    for row in sample.rows:
        start = time.perf_counter()
        found = detect(row.text)
        seconds.append(time.perf_counter() - start)
        form_unknown = name == "lingua" and found == "zh"
        right += found == row.language or (form_unknown and row.language.startswith("zh"))
    return Result(sample.name, name, len(sample.rows), right / len(sample.rows), 1000 * statistics.median(seconds))


def markdown(results: Sequence[Result]) -> str:
    header = "| set | texts | " + " | ".join(f"{name} | ms" for name in DETECTORS) + " |"
    lines = [header, "|---|--:|" + "--:|--:|" * len(DETECTORS)]
    for sample in dict.fromkeys(result.sample for result in results):
        of_sample = [result for result in results if result.sample == sample]
        cells = [f"{100 * r.accuracy:.1f} | {r.median_ms:.3f}" for r in of_sample]
        lines.append(f"| {sample} | {of_sample[0].texts} | {' | '.join(cells)} |")
    lines.append("\nlingua's `zh` counts as right for either form of Chinese, because it does not tell them apart.")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=6, help="count every Nth line of the public sets")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = [measure(sample, name) for sample in samples(options.every) for name in DETECTORS]
    if options.json:
        print(json.dumps([{slot: getattr(r, slot) for slot in Result.__slots__} for r in results], indent=1))
    else:
        print(markdown(results))


if __name__ == "__main__":
    main()
