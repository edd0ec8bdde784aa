"""What fine-tuning pulls an encoder towards: labels told apart, and messages of one label side by side."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, normalize

from models.types import Vectors
from training.targets import Target

SCALE = 20.0
"""What cosines are multiplied with before softmax."""
TEMPERATURE = 0.1
"""Of the contrast between the messages of a batch."""


@dataclass(frozen=True, slots=True)
class ObjectiveConfig:
    """
    Attributes:
        smoothing: the share of probability that goes to the other labels.
        contrast: the weight of the contrastive part.
    """

    smoothing: float = 0.1
    contrast: float = 0.5


class TaskObjective(nn.Module):
    """Cosines with one proxy per label, and supervised contrast between the messages of a batch.

    Proxies start at the means of their labels' vectors. Sources: Khosla et al. 2020, "Supervised Contrastive Learning";
    Qian et al. 2019, "SoftTriple Loss", for proxies.
    """

    center: Tensor
    truth: Tensor
    labelled: Tensor

    def __init__(
        self, target: Target, rows: NDArray[np.intp], vectors: Vectors, center: Tensor, config: ObjectiveConfig
    ) -> None:
        super().__init__()
        self._config, self._multi_label = config, target.multi_label
        truth = torch.zeros(len(vectors), len(target.labels))
        truth[torch.from_numpy(target.rows)] = torch.from_numpy(target.truth.astype(np.float32))
        labelled = torch.zeros(len(vectors), dtype=torch.bool)
        labelled[torch.from_numpy(target.rows)] = True
        own = np.zeros(len(vectors), bool)
        own[rows] = True
        start = normalize(torch.from_numpy(vectors) - center, dim=1)
        sums = (truth * torch.from_numpy(own.astype(np.float32))[:, None]).T @ start
        self.proxies = nn.Parameter(normalize(sums, dim=1))
        self.bias = nn.Parameter(torch.zeros(len(target.labels)))
        self.register_buffer("center", center, persistent=False)
        self.register_buffer("truth", truth, persistent=False)
        self.register_buffer("labelled", labelled, persistent=False)

    def forward(self, vectors: Tensor, rows: Tensor) -> Tensor:
        """The loss of a batch; rows without a label of this task count for nothing."""
        known = self.labelled[rows]
        if not known.any():
            return vectors.sum() * 0
        turned, truth = self._turned(vectors[known]), self.truth[rows[known]]
        logits = SCALE * turned @ self.proxies.T + self.bias
        if self._multi_label:
            loss = binary_cross_entropy_with_logits(logits, truth)
        else:
            loss = cross_entropy(logits, truth.argmax(dim=1), label_smoothing=self._config.smoothing)
        return loss + self._config.contrast * self._contrast(turned, truth)

    def logits(self, vectors: Tensor) -> Tensor:
        return SCALE * self._turned(vectors) @ self.proxies.T + self.bias

    def _turned(self, vectors: Tensor) -> Tensor:
        turned: Tensor = normalize(vectors - self.center, dim=1)
        return turned

    def _contrast(self, turned: Tensor, truth: Tensor) -> Tensor:
        """How far messages with a label in common are from being each other's nearest."""
        others = ~torch.eye(len(turned), dtype=torch.bool, device=turned.device)
        alike = (truth @ truth.T > 0) & others
        paired = alike.any(dim=1)
        if not paired.any():
            return turned.sum() * 0
        closeness = turned @ turned.T / TEMPERATURE
        log_share = closeness - torch.logsumexp(closeness.masked_fill(~others, -1e9), dim=1, keepdim=True)
        mean: Any = (log_share * alike).sum(dim=1)[paired] / alike.sum(dim=1)[paired]
        loss: Tensor = -mean.mean()
        return loss
