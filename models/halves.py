"""Encoders by halves: what their lower layers make of a text is the same where only upper ones were changed."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

KINDS = ("bert", "roberta", "xlm-roberta", "camembert", "electra")
"""Architectures, by transformers' `model_type`, whose layers take hidden states and a mask and nothing else."""


def additive(mask: Tensor) -> Tensor:
    """An attention mask, shape (texts, tokens), as layers add it to their scores."""
    # The least float32 would be minus infinity in bfloat16, and nothing times infinity is no number.
    return torch.zeros_like(mask, dtype=torch.float32).masked_fill(mask == 0, -1e9)[:, None, None, :]


def hidden_states(output: Any) -> Tensor:
    found: Tensor = output[0] if isinstance(output, tuple) else output
    return found


class Together(nn.Module):
    """Several sentence-transformers over one tokenizer; layers that are alike in all of them are passed through once.

    Args:
        models: all of them changes of one model; what they have in common they share from now on.

    Attributes:
        alike: how many lower layers are passed through once; None where the models cannot be taken apart.
    """

    def __init__(self, models: Sequence[Any]) -> None:
        super().__init__()
        transformers = [model[0].model for model in models]
        self.alike = _layers_alike(transformers)
        if self.alike is not None:
            first, *others = transformers
            for other in others:
                # Once in memory too.
                other.embeddings = first.embeddings
                for at in range(self.alike):
                    other.encoder.layer[at] = first.encoder.layer[at]
        self.models = nn.ModuleList(models)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, ...]:
        if self.alike is None:
            features = {"input_ids": input_ids, "attention_mask": attention_mask}
            return tuple(model(dict(features))["sentence_embedding"] for model in self.models)
        first: Any = self.models[0]
        mask = additive(attention_mask)
        lower = first[0].model.embeddings(input_ids=input_ids)
        for layer in first[0].model.encoder.layer[: self.alike]:
            lower = hidden_states(layer(lower, mask))
        return tuple(self._upper(model, lower, mask, attention_mask) for model in self.models)

    def _upper(self, model: Any, hidden: Tensor, mask: Tensor, attention_mask: Tensor) -> Tensor:
        for layer in model[0].model.encoder.layer[self.alike :]:
            hidden = hidden_states(layer(hidden, mask))
        features = {"token_embeddings": hidden, "attention_mask": attention_mask}
        for module in list(model)[1:]:
            features = module(features)
        return features["sentence_embedding"]


def _layers_alike(transformers: Sequence[Any]) -> int | None:
    """How many lower layers have the same weights in all; None where models are one, or cannot be taken apart."""
    first, *others = transformers
    if not others or first.config.model_type not in KINDS:
        return None
    if not all(_same(first.embeddings, other.embeddings) for other in others):
        return None
    layers = zip(*(transformer.encoder.layer for transformer in transformers), strict=True)
    alike = 0
    for layer, *rest in layers:
        if not all(_same(layer, other) for other in rest):
            break
        alike += 1
    return alike


def _same(one: nn.Module, other: nn.Module) -> bool:
    mine, theirs = one.state_dict(), other.state_dict()
    return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)
