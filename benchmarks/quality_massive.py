"""How good is one bundle in eight languages, and how far does one that learned English alone get in the other seven?

MASSIVE 1.1 as it lies in `../shared/data`: 60 intents, parallel rows, which are kept together by their id. Trained on
the training parts, scored on the dev parts, which choose nothing here.

    python -m benchmarks.quality_massive [--method head|fine-tune] [--english-only]
"""

import sys

from benchmarks.quality import measure, open_encoder, options, public, report
from training.finetune import FineTuneConfig

LANGUAGES = ("en-US", "vi-VN", "th-TH", "zh-CN", "zh-TW", "ru-RU", "es-ES", "de-DE")


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--english-only", action="store_true")
    asked = parser.parse_args()
    encoder = open_encoder()
    learned = LANGUAGES[:1] if asked.english_only else LANGUAGES
    data = public(*(f"massive/{language}.train" for language in learned), task="intent", group="id")
    test = public(*(f"massive/{language}.dev" for language in LANGUAGES), task="intent", group="id")
    name = "massive, trained on English" if asked.english_only else "massive, eight languages"
    tuning = FineTuneConfig(epochs=5.0 if asked.english_only else 2.0)
    result = measure(name, asked.method, data, test, "intent", encoder, seed=13, tuning=tuning)
    report([result], asked.output)
    languages = {code: found["accuracy"] for code, found in result.figures["languages"].items()}
    sys.stdout.write("\n" + ", ".join(f"{code} {value:.1%}" for code, value in languages.items()) + "\n")
    others = [value for code, value in languages.items() if code.split("-")[0] != "en"]
    sys.stdout.write(
        f"mean {sum(languages.values()) / len(languages):.2%}, without English {sum(others) / len(others):.2%}\n"
    )


if __name__ == "__main__":
    main()
