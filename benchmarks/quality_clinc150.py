"""How good is a bundle on 150 intents, and does it notice what is none of them without having seen an example?

CLINC150 as it lies in `../shared/data`: trained on the training part, its own validation part for choosing and
calibrating, scored on the test part with the 1,000 out-of-scope rows. No out-of-scope row is used in training.

    python -m benchmarks.quality_clinc150 [--method head|fine-tune] [--seeds 1]
"""

from benchmarks.quality import measure, open_encoder, options, public, report


def main() -> None:
    asked = options(__doc__, seeds=True).parse_args()
    encoder = open_encoder()
    data = public("clinc150/train", "clinc150/val", task="intent")
    test = public("clinc150/test", "clinc150/oos_test", task="intent")
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    report(
        (measure("clinc150", asked.method, data, test, "intent", encoder, seed=seed) for seed in seeds), asked.output
    )


if __name__ == "__main__":
    main()
