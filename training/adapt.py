"""Bundles whose encoder is adapted to their own data: adapters, and heads calibrated on rows that no adapter saw."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.backends import has_bfloat16
from models.bundle import Bundle
from models.encoder import ServingEncoder
from models.types import Vectors
from training.checkpoints import Checkpoints
from training.data import Tickets
from training.errors import BadTrainingData
from training.features import Numbers, TrainingTexts
from training.finetune import FineTuneConfig, Progress, fine_tune, no_progress, run_digest
from training.layers import SplitEncoder
from training.splits import Fold, grouped_folds
from training.targets import Target
from training.train import Encode, TrainingConfig, assembled, learned

SMALL = 3_000
"""Rows up to which every row is held out once; from here on one tenth is, which costs two adapters and not four."""
PLENTY = 20_000
"""Rows from which on no adapter learns from the held-out tenth: it changes little and takes as long again."""
_FOLDS_IF_SMALL, _TENTH = 3, 10


@dataclass(frozen=True, slots=True)
class _Adapted:
    """Vectors of every line by an adapted encoder, and the steps that it was adapted in."""

    vectors: Vectors
    steps: int


class Adapting:
    """One training with its encoder, its texts and a folder for everything that a kill must not lose.

    Args:
        workspace: where checkpoints and the finished adapter lie; the bundle's `adapter` is a folder in it.
        progress: called with steps done, steps in all and a word on what is going on; of several runs each counts anew.
    """

    def __init__(
        self,
        tickets: Tickets,
        tasks: Sequence[str],
        encoder: ServingEncoder,
        config: TrainingConfig,
        tuning: FineTuneConfig,
        workspace: Path,
        progress: Progress = no_progress,
    ) -> None:
        self._encoder, self._config, self._tuning = encoder, config, tuning
        self._workspace, self._progress = workspace, progress
        self._tickets, self._targets = learned(tickets, tasks, config)
        self._texts = TrainingTexts.of(self._tickets.rows, noise=config.noise)

    def train(self, *, valid: Numbers | None = None, encode: Encode | None = None) -> Bundle:
        """Adapters and heads.

        Without `valid`, small data is cross-fitted: every row is held out once, by an adapter of its own. Of larger
        data one tenth is held out once. What was held out stops the training early and calibrates; the final adapter
        then learns from all rows, in as many passes, unless there are `PLENTY`. The final heads always do.

        Args:
            valid: numbers of rows that nothing may learn from.
            encode: stands in for the encoder's own.

        Raises:
            BadTrainingData: when all rows of a task, or none, fall to a part that is held out.
        """
        rows = self._texts.rows
        # Copies begin where their rows do; nothing reads them by the encoder as it is.
        base = (encode or self._encoder.encode)(self._texts.texts[:rows])[self._texts.row_of(self._texts.lines)]
        every = np.arange(self._texts.rows)
        if valid is not None:
            folds = [(np.setdiff1d(every, valid), valid)]
        elif len(every) > SMALL:
            folds = self._row_folds(_TENTH)[:1]
        else:
            folds = self._row_folds(_FOLDS_IF_SMALL)
        for task, target in self._targets.items():
            if not all(len(part) for fold in folds for part in target.fold(*fold)):
                raise BadTrainingData(
                    f"Of the {len(target.rows)} rows labelled for {task!r} none is held out, or every one, so that "
                    "nothing can be calibrated. Label more rows, train that task alone, or name rows of it by --valid."
                )
        kept = valid is not None or len(every) > PLENTY
        runs = len(folds) + (not kept)
        split = self._split_encoder()
        adapted = [self._adapted(split, base, *fold, self._tuning, at, runs) for at, fold in enumerate(folds)]
        if kept:
            final = adapted[0]
        else:
            steps = int(np.mean([found.steps for found in adapted]) * len(every) / len(folds[0][0]))
            tuning = replace(self._tuning, steps=steps)
            final = self._adapted(split, base, every, np.zeros(0, np.intp), tuning, len(folds), runs)
        held = "one tenth held out" if len(folds) == 1 else f"cross-fitted in {len(folds)} folds"
        return replace(
            assembled(
                self._tickets,
                self._targets,
                self._texts,
                final.vectors,
                {task: [target.fold(*fold) for fold in folds] for task, target in self._targets.items()},
                {task: [found.vectors for found in adapted] for task in self._targets},
                self._encoder,
                self._config,
                {
                    "method": "fine-tune",
                    "held_out": "a validation set" if valid is not None else held,
                    "steps": final.steps,
                    "layers": self._tuning.layers,
                    "rank": self._tuning.rank,
                    "averaged": self._tuning.averaged,
                },
                base=base,
                learn=folds[0][0] if valid is not None else None,
            ),
            adapter=self._workspace / "adapter",
        )

    def _split_encoder(self) -> SplitEncoder:
        """The encoder, which has read all texts: what its lower half makes of them is the same for every adapter."""
        tuning = self._tuning
        split = SplitEncoder(
            self._encoder.folder,
            trained=tuning.layers,
            rank=tuning.rank,
            max_tokens=tuning.max_tokens,
            narrow=has_bfloat16(),
        )
        split.read(self._texts.texts, lambda _: self._progress(0, 0, "reading"))
        return split

    def _adapted(
        self,
        split: SplitEncoder,
        base: Vectors,
        inside: Numbers,
        outside: Numbers,
        tuning: FineTuneConfig,
        number: int,
        runs: int,
    ) -> _Adapted:
        """An adapter that learns from the rows `inside`; the one made last is the one that stays on disk."""
        targets = {task: _of_lines(target, self._texts) for task, target in self._targets.items()}
        other = self._texts.stand_ins[inside]
        learned: list[dict[str, Tensor]] = []
        taken = []
        for turn in range(tuning.averaged):
            seeded = replace(tuning, seed=tuning.seed + turn, averaged=1)
            split.start_over()
            digest = run_digest(targets, self._texts.texts, self._encoder.fingerprint, inside, seeded)
            run = number * tuning.averaged + turn
            checkpoints = Checkpoints(self._workspace / "checkpoints" / f"{run}-{digest}")
            progress = self._progress_of(run, runs * tuning.averaged)
            taken.append(fine_tune(split, base, targets, inside, other, outside, seeded, checkpoints, progress))
            learned.append(split.state())
        split.restore({name: torch.stack([state[name] for state in learned]).mean(dim=0) for name in learned[0]})
        split.keep_as_adapter()
        split.save(self._workspace / "adapter", self._encoder.name)
        return _Adapted(split.vectors(), int(np.mean(taken)))

    def _progress_of(self, number: int, runs: int) -> Progress:
        """Says which of the runs it is, where there are several."""

        def progress(done: int, total: int, note: str) -> None:
            which = f"{number + 1} of {runs}" if runs > 1 else ""
            self._progress(done, total, ", ".join(filter(None, (which, note))))

        return progress

    def _row_folds(self, folds: int) -> list[Fold]:
        """Folds of all rows alike for every task, spread by the labels of the first."""
        first = next(iter(self._targets.values()))
        strata = np.full(self._texts.rows, "", object)
        strata[first.rows] = first.strata
        groups = [ticket.group for ticket in self._tickets.rows]
        return grouped_folds(strata.tolist(), groups, folds=folds, seed=self._config.seed, names=self._tickets.names)


def _of_lines(target: Target, texts: TrainingTexts) -> Target:
    """The target with the copies of its rows, each labelled as its row."""
    lines = texts.with_copies(target.rows)
    position = np.zeros(texts.rows, np.intp)
    position[target.rows] = np.arange(len(target.rows))
    return replace(target, rows=lines, truth=target.truth[position[texts.row_of(lines)]], groups=())
