"""The same few messages of each label, by `--method fine-tune` and by SetFit on the same encoder: which knows more, and
how long does each take?

Eight rows of each of BANKING77's 77 labels, drawn from its training part; scored on its whole test part. SetFit as its
paper has it: cosine similarity, 20 pairs of either kind a row, batches of 16 pairs, one epoch, logistic regression.
Both from raw texts to a saved model, one after the other in one process with the same threads. SetFit is no part of
the project: `pip install setfit==1.2.0` beside it first.

    python -m benchmarks.quality_setfit [--shots 8] [--seeds 1] [--output FILE]
"""

import sys
import tempfile
import time

from sklearn.metrics import f1_score

from benchmarks.quality import Result, measure, open_encoder, options, public, report
from models.encoder import ServingEncoder
from training.data import Tickets
from training.splits import few_shots
from triage.normalize import normalize

PAIRS = 20
"""SetFit's `num_iterations`: pairs of either kind for each row, the value of its paper."""


def setfit(data: Tickets, test: Tickets, encoder: ServingEncoder, *, seed: int) -> Result:
    """SetFit's accuracy and time; what it has no word for (calibration, abstention, scope) is left out."""
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments

    started = time.monotonic()
    rows = {"text": [normalize(row.text) for row in data.rows], "label": [row.label("intent") for row in data.rows]}
    model = SetFitModel.from_pretrained(str(encoder.folder), labels=sorted(set(rows["label"])))
    # SetFit takes no prompt; the encoder was trained with one, and does worse without it.
    model.model_body.default_prompt_name = "query"
    with tempfile.TemporaryDirectory() as scratch:
        asked = TrainingArguments(
            output_dir=scratch, batch_size=16, num_epochs=1, num_iterations=PAIRS, seed=seed, report_to="none"
        )
        Trainer(model=model, args=asked, train_dataset=Dataset.from_dict(rows)).train()
        model.save_pretrained(f"{scratch}/model")
    seconds = time.monotonic() - started
    given = [str(label) for label in model.predict([normalize(row.text) for row in test.rows])]
    truth = [row.label("intent") for row in test.rows]
    right = sum(one == other for one, other in zip(given, truth, strict=True))
    figures = {"rows": len(truth), "accuracy": right / len(truth), "macro_f1": f1_score(truth, given, average="macro")}
    return Result("", "SetFit", seed, round(seconds, 1), figures)


def main() -> None:
    parser = options(__doc__, seeds=True)
    parser.add_argument("--shots", type=int, default=8, help="rows of each label to learn from")
    asked = parser.parse_args()
    encoder = open_encoder()
    data, test = public("banking77/train", task="intent"), public("banking77/test", task="intent")
    for seed in range(asked.first_seed, asked.first_seed + asked.seeds):
        some = few_shots(data, asked.shots, seed=seed)
        ours = measure(f"banking77, {asked.shots}-shot", "fine-tune", some, test, "intent", encoder, seed=seed)
        report([ours], asked.output)
        theirs = setfit(some, test, encoder, seed=seed)
        sys.stdout.write(
            f"SetFit: accuracy {theirs.figures['accuracy']:.2%}, {theirs.seconds:.0f} s, "
            f"{theirs.seconds / ours.seconds:.1f} times as long\n"
        )


if __name__ == "__main__":
    main()
