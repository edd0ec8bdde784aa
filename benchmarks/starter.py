"""How good is the shipped starter, in each language, on messages that nothing was chosen by, and what does noise cost?

The test part in `training/starter/test`: a fifth of each language's messages, set apart by groups before any training.
Beside it real Thai calls and BANKING77's test part, whose labels `mappings.yaml` turns into intents; neither was
trained on. Noise is put on the test part by `training.noise`, one draw of each kind; the loss is of rows that the
noise changes. Adversarial messages are in `adversarial.jsonl`. "Sure of" is at the thresholds that the bundle chose in
training; "most at 0.9" is what one threshold on confidence would cover at that precision, read off the test part.

    python -m benchmarks.starter [--bundle PATH] [--output FILE]
"""

import argparse
import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from sklearn.metrics import f1_score, roc_auc_score

from benchmarks.data import PUBLIC
from benchmarks.machine import about
from benchmarks.quality import open_encoder
from models.bundle import Bundle, load_bundle
from models.encoder import ServingEncoder
from models.registry import STARTER
from models.types import Scored
from training.data import Tickets, parse_columns, read_tickets
from training.evaluate import Evaluation, evaluate
from training.metrics import claims, precision_by_coverage
from training.noise import noises
from triage.normalize import normalize
from triage.taxonomy import Role, load_taxonomy

HERE = Path(__file__).parent
TEST = HERE.parent / "training" / "starter" / "test"
HEADER = (
    "| | intent macro-F1 | accuracy | ECE | sure of, at precision | most at 0.9 | out-of-scope AUROC "
    "| urgency macro-F1 | ECE | two levels off |"
)
FIRST = ("en", "vi", "th", "zh-Hans", "zh-Hant", "ru")
_CHUNK = 512
_PRECISION = 0.9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, default=STARTER)
    parser.add_argument("--output", type=Path, help="write all figures as JSON")
    asked = parser.parse_args()
    encoder = open_encoder()
    bundle = load_bundle(asked.bundle, encoder)
    columns = parse_columns(("intent", "urgency", "channel=best_channel"))
    test = read_tickets(sorted(TEST.glob("*.jsonl")), columns)
    found: dict[str, Any] = {"machine": about(), "bundle": bundle.reference}
    found["quality"] = quality(evaluate(bundle, encoder, test, list(columns)))
    found["noise"] = noise(bundle, encoder, test)
    found["adversarial"] = adversarial(bundle, encoder)
    found["elsewhere"] = {"banking77": banking(bundle, encoder), "truevoice": truevoice(bundle, encoder)}
    sys.stdout.write(text(found))
    if asked.output:
        asked.output.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def quality(evaluation: Evaluation) -> dict[str, Any]:
    """Figures of every task, overall and by language."""
    intent, urgency = evaluation.tasks["intent"], evaluation.tasks["urgency"]
    outside = {i.id for i in load_taxonomy().intents if i.role is Role.OUT_OF_SCOPE}
    columns = [at for at, label in enumerate(intent.scored.labels) if label in outside]
    foreign = np.array([ticket.label("intent") in outside for ticket in intent.tickets])
    doubt = intent.scored.shares[:, columns].sum(axis=1)
    levels = [level.id for level in load_taxonomy().urgencies]
    said = [levels.index(urgency.scored.labels[at]) for at in urgency.scored.shares.argmax(axis=1)]
    true = [levels.index(ticket.label("urgency")) for ticket in urgency.tickets]
    off = np.abs(np.array(said) - np.array(true)) >= 2

    def out_of_scope(rows: NDArray[np.bool_]) -> float | None:
        both = len(set(foreign[rows])) == 2
        return round(float(roc_auc_score(foreign[rows], doubt[rows])), 4) if both else None

    confidence, right = claims(intent.truth, intent.scored)

    def most(rows: NDArray[np.bool_]) -> float:
        """The largest share of rows among which, the surest first, nine in ten are right."""
        coverage, precision = precision_by_coverage(confidence[rows, 0], right[rows, 0])
        return round(float(coverage[precision >= _PRECISION].max(initial=0.0)), 4)

    def of(language: str) -> dict[str, Any]:
        rows, own = (np.array([t.language == language for t in task.tickets]) for task in (intent, urgency))
        return {
            "intent": _of(intent.figures["languages"][language]),
            "most_at_precision": most(rows),
            "out_of_scope_auroc": out_of_scope(rows),
            "urgency": _of(urgency.figures["languages"][language])
            | {"two_levels_off": round(float(off[own].mean()), 4)},
        }

    return {
        "rows": len(intent.tickets),
        "intent": _of(intent.figures),
        "most_at_precision": most(np.ones(len(foreign), bool)),
        "out_of_scope_auroc": out_of_scope(np.ones(len(foreign), bool)),
        "urgency": _of(urgency.figures) | {"two_levels_off": round(float(off.mean()), 4)},
        "channel": _of(evaluation.tasks["channel"].figures),
        "languages": {language: of(language) for language in intent.figures["languages"]},
        "labels": {label: figures["f1"] for label, figures in intent.figures["labels"].items()},
    }


def noise(bundle: Bundle, encoder: ServingEncoder, test: Tickets) -> dict[str, dict[str, Any]]:
    """For each kind, the points of intent accuracy lost, overall and by language; positive is a loss."""
    truth = [row.label("intent") for row in test.rows]
    clean = _right(_said(bundle, encoder, [row.text for row in test.rows]), truth)
    losses = {}
    for kind, put in noises().items():
        by_language: dict[str, list[float]] = defaultdict(list)
        generator = np.random.default_rng(0)
        noisy = [put(row.text, row.language or "", generator) for row in test.rows]
        rows = [at for at, changed in enumerate(noisy) if changed is not None]
        texts = [changed for changed in noisy if changed is not None]
        right = _right(_said(bundle, encoder, texts), [truth[at] for at in rows])
        for at, value in zip(rows, right, strict=True):
            by_language[str(test.rows[at].language)].append(float(clean[at]) - float(value))
        every = [value for values in by_language.values() for value in values]
        losses[kind] = {"all": _points(every)} | {name: _points(by_language[name]) for name in sorted(by_language)}
    return losses


def adversarial(bundle: Bundle, encoder: ServingEncoder) -> dict[str, Any]:
    """The share of messages, by kind, that get a confident intent which is not out of scope; and examples."""
    rows = [json.loads(line) for line in (HERE / "adversarial.jsonl").read_text(encoding="utf-8").splitlines()]
    scored = _said(bundle, encoder, [row["text"] for row in rows])
    outside = {i.id for i in load_taxonomy().intents if i.role is Role.OUT_OF_SCOPE}
    kinds: dict[str, list[bool]] = defaultdict(list)
    taken_in = []
    for at, row in enumerate(rows):
        best = scored.labels[int(scored.shares[at].argmax())]
        tagged = bool(scored.chosen[at].any()) and best not in outside
        kinds[row["kind"]].append(tagged)
        if tagged:
            taken_in.append({"text": row["text"], "kind": row["kind"], "label": best})
    every = [tagged for values in kinds.values() for tagged in values]
    shares = {kind: round(float(np.mean(values)), 4) for kind, values in sorted(kinds.items())}
    return {"rows": len(rows), "tagged": round(float(np.mean(every)), 4), "kinds": shares, "examples": taken_in}


def banking(bundle: Bundle, encoder: ServingEncoder) -> dict[str, Any]:
    mapping = _mappings()["banking77"]
    rows = [(row["text"], mapping.get(row["intent"])) for row in _lines("banking77/test")]
    return _by_mapping(bundle, encoder, rows)


def truevoice(bundle: Bundle, encoder: ServingEncoder) -> dict[str, Any]:
    mapping = _mappings()["truevoice"]
    rows = [(row["text"], mapping.get(f"{row['action']} {row['object']}")) for row in _lines("truevoice/train")]
    return _by_mapping(bundle, encoder, rows)


def text(found: dict[str, Any]) -> str:
    """The figures as Markdown tables."""
    q = found["quality"]
    weakest = ", ".join(f"{label} {f1:.2f}" for label, f1 in sorted(q["labels"].items(), key=_by_value)[:10])
    lines = [
        f"{found['machine']}; {found['bundle']}, {q['rows']:,} rows",
        "",
        HEADER,
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
        _row("all", q),
        *(_row(language, q["languages"][language]) for language in sorted(q["languages"], key=_first_first)),
        "",
        f"best channel accuracy {q['channel']['accuracy']:.1%}; weakest intents: {weakest}",
        "",
        "| noise | all | " + " | ".join(sorted(q["languages"], key=_first_first)) + " |",
        "|---|--:|" + "--:|" * len(q["languages"]),
    ]
    for kind, losses in found["noise"].items():
        cells = [losses.get(language) for language in ("all", *sorted(q["languages"], key=_first_first))]
        lines.append(f"| {kind} | " + " | ".join("" if cell is None else f"{cell:+.1f}" for cell in cells) + " |")
    a = found["adversarial"]
    kinds = ", ".join(f"{kind} {share:.1%}" for kind, share in a["kinds"].items())
    lines += ["", f"confident tags on {a['rows']} adversarial messages: {a['tagged']:.1%} ({kinds})"]
    for name, f in found["elsewhere"].items():
        lines.append(
            f"{name}: {f['accuracy']:.1%} of {f['rows']:,} mapped rows right ({f['left_out']:,} left out), "
            f"sure of {f['coverage']:.1%} at precision {f['precision_when_sure']:.1%}"
        )
    return "\n".join(lines) + "\n"


def _row(name: str, q: dict[str, Any]) -> str:
    i, u = q["intent"], q["urgency"]
    return (
        f"| {name} | {i['macro_f1']:.3f} | {i['accuracy']:.3f} | {i['ece']:.3f} | {i['coverage']:.1%} at "
        f"{i['precision_when_sure']:.1%} | {q['most_at_precision']:.1%} | {q['out_of_scope_auroc']:.3f} "
        f"| {u['macro_f1']:.3f} | {u['ece']:.3f} | {u['two_levels_off']:.1%} |"
    )


def _by_mapping(
    bundle: Bundle, encoder: ServingEncoder, rows: Sequence[tuple[str, list[str] | None]]
) -> dict[str, Any]:
    kept = [(text, allowed) for text, allowed in rows if allowed]
    scored = _said(bundle, encoder, [text for text, _ in kept])
    best = [scored.labels[at] for at in scored.shares.argmax(axis=1)]
    right = np.array([label in allowed for label, (_, allowed) in zip(best, kept, strict=True)])
    sure = scored.chosen.any(axis=1)
    # Of a border's labels the one that was said, if it was right, else the first.
    truth = [label if ok else allowed[0] for label, ok, (_, allowed) in zip(best, right, kept, strict=True)]
    return {
        "rows": len(kept),
        "left_out": len(rows) - len(kept),
        "accuracy": round(float(right.mean()), 4),
        "macro_f1": round(float(f1_score(truth, best, labels=sorted(set(truth)), average="macro")), 4),
        "coverage": round(float(sure.mean()), 4),
        "precision_when_sure": round(float(right[sure].mean()), 4),
    }


def _said(bundle: Bundle, encoder: ServingEncoder, texts: Sequence[str]) -> Scored:
    parts = []
    normal = [normalize(text) for text in texts]
    for start in range(0, len(normal), _CHUNK):
        chunk = normal[start : start + _CHUNK]
        parts.append(bundle.score(chunk, bundle.vectors(chunk, encoder))["intent"])
    return replace(
        parts[0],
        shares=np.concatenate([part.shares for part in parts]),
        out_of_scope=np.concatenate([part.out_of_scope for part in parts]),
        chosen=np.concatenate([part.chosen for part in parts]),
    )


def _right(scored: Scored, truth: Sequence[str]) -> list[bool]:
    return [scored.labels[at] == label for at, label in zip(scored.shares.argmax(axis=1), truth, strict=True)]


def _of(figures: dict[str, Any]) -> dict[str, Any]:
    return {key: figures[key] for key in ("accuracy", "macro_f1", "ece", "coverage", "precision_when_sure")}


def _points(values: Sequence[float]) -> float:
    return round(100 * float(np.mean(values)), 2)


def _first_first(language: str) -> tuple[bool, str]:
    return language not in FIRST, language


def _by_value(item: tuple[str, float]) -> float:
    return item[1]


def _mappings() -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = yaml.safe_load((HERE / "mappings.yaml").read_text(encoding="utf-8"))
    return found


def _lines(name: str) -> Iterable[dict[str, Any]]:
    with gzip.open(PUBLIC / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


if __name__ == "__main__":
    main()
