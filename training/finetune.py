"""Adapting an encoder to labelled messages: its upper layers learn, in steps that survive a kill."""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor, nn

from models.types import Vectors
from training.checkpoints import Checkpoint, Checkpoints
from training.layers import SplitEncoder
from training.objectives import ObjectiveConfig, TaskObjective
from training.targets import Target

log = logging.getLogger(__name__)

_VALIDATIONS = 6
"""At most so many a run: results go up and down while the rate is high, and small data has many short epochs."""
_POOL = 16
"""Batches are cut from pools of this many, sorted by length, so that little is padded and chance still rules."""


@dataclass(frozen=True, slots=True)
class FineTuneConfig:
    """
    Attributes:
        layers: how many upper layers learn.
        rank: of the adapters' matrices.
        epochs: passes over the rows at most; fewer where validation stops it.
        least_steps: small data is passed over more often, up to this many steps.
        most_steps: large data is passed over less often; more steps than this take hours on a CPU.
        steps: exactly this many instead; 0: as many as `epochs` and these limits make.
        warm_up: the share of steps in which the learning rate rises.
        patience: validations without a better result before it stops.
        max_tokens: longer messages are cut in training; customers' messages rarely are.
        averaged: how many trainings, each with the next seed, the mean of whose weights is what was learned (model
            soups, Wortsman et al. 2022).
    """

    seed: int = 13
    layers: int = 6
    rank: int = 64
    epochs: float = 5.0
    least_steps: int = 200
    most_steps: int = 6_000
    steps: int = 0
    batch: int = 32
    learning_rate: float = 2e-4
    proxy_learning_rate: float = 2e-3
    warm_up: float = 0.1
    patience: int = 2
    max_tokens: int = 128
    averaged: int = 1
    seconds_between_checkpoints: float = 60.0
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)


Progress = Callable[[int, int, str], object]
"""Called with steps done, steps in all, and a word on the state."""


def no_progress(done: int, total: int, note: str) -> None:
    """No progress is shown."""


def fine_tune(
    split: SplitEncoder,
    start: Vectors,
    targets: Mapping[str, Target],
    rows: NDArray[np.intp],
    spellings: NDArray[np.intp],
    valid: NDArray[np.intp],
    config: FineTuneConfig,
    checkpoints: Checkpoints,
    progress: Progress = no_progress,
) -> int:
    """Train the upper layers of `split`, which has read the texts, on `rows`; the steps that it took.

    Args:
        start: vectors of all texts by the encoder as it is, where the proxies of the labels begin.
        rows: numbers of the texts to learn from.
        spellings: for each text of `rows` those that may stand in for it, by chance in half of the passes, labelled as
            their text, shape (rows, any number). Itself where there is none.
        valid: numbers of the texts that decide when to stop; none: all steps are taken.
    """
    run = _Run(split, start, targets, rows, spellings, config)
    total = config.steps or _steps(len(rows), config)
    interval = max(len(rows) // config.batch, total // _VALIDATIONS, 1)
    done, best, waited, kept, saved_at = 0, -1.0, 0, run.tensors(), 0
    if saved := checkpoints.latest():
        run.restore(saved.tensors)
        done, best, waited = saved.step, saved.numbers["best"], saved.numbers["waited"]
        saved_at = done
        kept = {name[5:]: tensor for name, tensor in saved.tensors.items() if name.startswith("best.")}

    def save() -> None:
        best_tensors = {f"best.{name}": tensor for name, tensor in kept.items()}
        tensors = {**run.tensors(), **run.moments(), **best_tensors}
        try:
            checkpoints.save(Checkpoint(done, {"best": best, "waited": waited}, tensors))
        except (OSError, SafetensorError) as error:
            # A full disk costs what a kill would lose, and not the training.
            log.warning("step %d could not be kept, a kill would go back further: %s", done, error)

    last = time.monotonic()
    note = f"validation {best:.1%}" if best >= 0 else ""
    while done < total and waited <= config.patience:
        run.step(done, total)
        done += 1
        if len(valid) and (done % interval == 0 or done == total):
            reached = run.accuracy(valid)
            note = f"validation {reached:.1%}"
            if reached > best:
                best, waited, kept = reached, 0, run.tensors()
            else:
                waited += 1
        progress(done, total, note)
        if time.monotonic() - last > config.seconds_between_checkpoints:
            save()
            last = time.monotonic()
            saved_at = done
    if saved_at < done:
        # Of several runs, a kill in a later one must not cost those that are done.
        save()
    if len(valid):
        run.restore(kept)
    return done


def _steps(rows: int, config: FineTuneConfig) -> int:
    wanted = max(int(config.epochs * rows / config.batch), min(config.least_steps, rows * 20), 1)
    return min(wanted, config.most_steps)


def run_digest(
    targets: Mapping[str, Target], texts: Sequence[str], encoder: str, rows: NDArray[np.intp], config: FineTuneConfig
) -> str:
    """A digest of everything that decides a run: the same digest may go on from the same checkpoint."""
    digest = hashlib.sha256(json.dumps([asdict(config), encoder, torch.__version__], sort_keys=True).encode())
    digest.update("\0".join(texts).encode("utf-8", "replace"))
    digest.update(rows.astype(np.int64).tobytes())
    for task, target in targets.items():
        digest.update(json.dumps([task, target.labels]).encode())
        digest.update(target.rows.astype(np.int64).tobytes() + np.packbits(target.truth).tobytes())
    return digest.hexdigest()[:16]


class _Run:
    """Everything that changes while training."""

    def __init__(
        self,
        split: SplitEncoder,
        start: Vectors,
        targets: Mapping[str, Target],
        rows: NDArray[np.intp],
        spellings: NDArray[np.intp],
        config: FineTuneConfig,
    ) -> None:
        self._split, self._rows, self._spellings, self._config = split, rows, spellings, config
        self._targets, self._lengths = targets, split.lengths
        torch.manual_seed(config.seed)
        center = torch.from_numpy(start[rows].mean(axis=0))
        self._objectives = nn.ModuleDict(
            {
                f"task{at}": TaskObjective(target, rows, start, center, config.objective)
                for at, target in enumerate(targets.values())
            }
        ).to(split.parameters[0].device)
        own = [parameter for parameter in self._objectives.parameters() if parameter.requires_grad]
        self._optimizer = torch.optim.AdamW(
            [
                {"params": split.parameters, "lr": config.learning_rate, "weight_decay": 0.01},
                {"params": own, "lr": config.proxy_learning_rate, "weight_decay": 0.0},
            ],
            fused=True,
        )
        self._rates = [float(group["lr"]) for group in self._optimizer.param_groups]

    def step(self, number: int, total: int) -> None:
        """One step; what it draws by chance depends on seed and number alone, so that a resumed run is the same run."""
        torch.manual_seed(self._config.seed * 1_000_003 + number)
        rising = (number + 1) / max(self._config.warm_up * total, 1)
        falling = (total - number) / max((1 - self._config.warm_up) * total, 1)
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * min(rising, falling, 1.0)
        rows = self._batch(number)
        self._split.train()
        vectors = self._split.embed(rows.tolist())
        numbers = torch.from_numpy(rows).to(vectors.device)
        loss: Tensor = torch.stack([objective(vectors, numbers) for objective in self._objectives.values()]).sum()
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own
        nn.utils.clip_grad_norm_(self._split.parameters, 1.0)
        self._optimizer.step()

    def accuracy(self, valid: NDArray[np.intp]) -> float:
        """The share of right labels among `valid`, the mean over tasks."""
        vectors = self._vectors_of(valid)
        found = []
        for target, objective in zip(self._targets.values(), self._objectives.values(), strict=True):
            position = {int(row): at for at, row in enumerate(target.rows)}
            pairs = [(at, position[int(row)]) for at, row in enumerate(valid) if int(row) in position]
            if not pairs:
                continue
            rows, own = map(list, zip(*pairs, strict=True))
            with torch.inference_mode():
                logits: Any = objective.logits(vectors[rows])  # type: ignore[operator]  # a ModuleDict forgets its kind
            given = logits > 0 if target.multi_label else logits == logits.max(dim=1, keepdim=True).values
            truth = torch.from_numpy(target.truth[own]).to(given.device)
            found.append(float((given == truth).all(dim=1).float().mean()))
        return float(np.mean(found)) if found else 0.0

    def tensors(self) -> dict[str, Tensor]:
        """The weights of layers and proxies, copied."""
        own = {name: tensor.detach().cpu().clone() for name, tensor in self._objectives.named_parameters()}
        return {f"layer.{name}": tensor for name, tensor in self._split.state().items()} | {
            f"objective.{name}": tensor for name, tensor in own.items()
        }

    def moments(self) -> dict[str, Tensor]:
        """The state of the optimizer."""
        return {
            f"moments.{at}.{name}": tensor.detach().cpu().clone()
            for at, state in self._optimizer.state_dict()["state"].items()
            for name, tensor in state.items()
        }

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        self._split.restore(_named(tensors, "layer."))
        self._objectives.load_state_dict(_named(tensors, "objective."), strict=False)
        states: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _named(tensors, "moments.").items():
            at, _, key = name.partition(".")
            states.setdefault(int(at), {})[key] = tensor
        if states:
            self._optimizer.load_state_dict({**self._optimizer.state_dict(), "state": states})

    def _vectors_of(self, rows: NDArray[np.intp]) -> Tensor:
        order = rows[np.argsort(self._lengths[rows], kind="stable")]
        found = torch.empty(len(rows), self._split.dimension)
        place = {int(row): at for at, row in enumerate(rows)}
        self._split.rest()
        with torch.inference_mode():
            for at in range(0, len(order), self._config.batch):
                some = order[at : at + self._config.batch].tolist()
                found[[place[row] for row in some]] = self._split.embed(some).cpu()
        return found.to(self._split.parameters[0].device)

    def _batch(self, number: int) -> NDArray[np.intp]:
        """The texts of a step: each row once an epoch, in one of its spellings, texts of like length together."""
        size = self._config.batch
        epoch, within = divmod(number * size, len(self._rows) - len(self._rows) % size or size)
        draw = np.random.default_rng((self._config.seed, epoch))
        respelled = draw.random(len(self._rows)) < 0.5
        way = draw.integers(self._spellings.shape[1], size=len(self._rows))
        spelled = self._spellings[np.arange(len(self._rows)), way]
        order = draw.permutation(np.where(respelled, spelled, self._rows))
        pools = [order[at : at + size * _POOL] for at in range(0, len(order), size * _POOL)]
        sorted_pools = [pool[np.argsort(self._lengths[pool], kind="stable")] for pool in pools]
        batches = [pool[at : at + size] for pool in sorted_pools for at in range(0, len(pool), size)]
        turn = draw.permutation(len(batches))
        batch: NDArray[np.intp] = batches[turn[(within // size) % len(batches)]]
        return batch


def _named(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
