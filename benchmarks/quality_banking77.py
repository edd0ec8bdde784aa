"""How good is a bundle on bank customers' questions with 77 intents, with all rows or a few of each label?

BANKING77 as it lies in `../shared/data`: trained on the training part, scored on the whole test part, which no choice
of anything has seen.

    python -m benchmarks.quality_banking77 [--method head|fine-tune] [--average 2] [--shots 10 [--names]] [--seeds 5]
"""

from benchmarks.quality import measure, open_encoder, options, public, report
from training.finetune import FineTuneConfig
from training.splits import few_shots


def main() -> None:
    parser = options(__doc__, seeds=True)
    parser.add_argument("--shots", type=int, help="rows of each label to learn from; all by default")
    parser.add_argument("--names", action="store_true", help="learn from the names of the labels too")
    parser.add_argument("--average", type=int, default=1, help="the mean of so many trainings, to fine-tune")
    asked = parser.parse_args()
    encoder = open_encoder()
    data, test = public("banking77/train", task="intent"), public("banking77/test", task="intent")
    name = f"banking77, {asked.shots}-shot" if asked.shots else "banking77"
    name += " and names" if asked.names else ""
    name += f", mean of {asked.average} trainings" if asked.average > 1 else ""
    tuning = FineTuneConfig(averaged=asked.average)
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    drawn = ((seed, few_shots(data, asked.shots, seed=seed) if asked.shots else data) for seed in seeds)
    report(
        (
            measure(name, asked.method, some, test, "intent", encoder, seed=seed, tuning=tuning, names=asked.names)
            for seed, some in drawn
        ),
        asked.output,
    )


if __name__ == "__main__":
    main()
