"""An encoder in two halves: lower layers whose output is computed once, and upper ones that learn.

On a CPU most of the cost of fine-tuning is passing through layers that hardly change. With the lower half frozen, its
output for every text is kept and each step passes through the upper half alone. The weights of the upper half learn
whole, which takes fewer steps than learning low-rank factors, and what they have learned is then kept as low-rank
factors, an adapter as PEFT has it (`docs/decisions/0012-adapters.md`).
"""

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
from peft.tuners.lora import LoraLayer
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn.functional import normalize

from models.backends import load_sentence_transformer
from models.errors import ModelError
from models.halves import KINDS, additive, hidden_states
from models.types import Vectors
from training.errors import BadTrainingData

MOST_KEPT = 4 * 2**30
"""Bytes of lower-half output that are kept; what is beyond is computed again in every step."""
_BATCH = 32

Advance = Callable[[int], object]


class SplitEncoder:
    """
    Args:
        trained: how many of the upper layers learn.
        rank: of the adapter's matrices, in which the change of each layer's matrices is kept.
        max_tokens: longer texts are cut, and where the encoder takes fewer by its own limit.
        narrow: compute in bfloat16 where that is safe.

    Raises:
        BadTrainingData: for an encoder of another kind than `KINDS`.
    """

    def __init__(self, folder: Path, *, trained: int, rank: int, max_tokens: int, narrow: bool) -> None:
        whole = load_sentence_transformer(folder)
        transformer: Any = whole[0].model
        if transformer.config.model_type not in KINDS:
            raise BadTrainingData(
                f"Encoder {folder.name} is of the kind {transformer.config.model_type!r}, and fine-tuning knows "
                f"{', '.join(KINDS)}. Use --method head, or another --encoder."
            )
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._narrow = narrow or self._device.type == "cuda"
        self._max_tokens = min(max_tokens, int(whole.max_seq_length or max_tokens))
        self._tokenizer, self._prompt = whole.tokenizer, str(whole.prompts.get("query") or "")
        self._embeddings, self._layers = transformer.embeddings, transformer.encoder.layer
        self._frozen, self._rank = max(len(self._layers) - trained, 0), rank
        config = LoraConfig(
            r=rank,
            lora_alpha=rank,
            target_modules=["query", "key", "value", "dense"],
            layers_to_transform=list(range(self._frozen, len(self._layers))),
            layers_pattern="layer",
        )
        with warnings.catch_warnings():
            # PEFT asks transformers under a name that is going away.
            warnings.simplefilter("ignore", FutureWarning)
            self._model: Any = get_peft_model(transformer, config).to(self._device)
        self._linears: dict[str, Any] = {n: m for n, m in self._model.named_modules() if isinstance(m, LoraLayer)}
        self._start = {name: linear.base_layer.weight.detach().clone() for name, linear in self._linears.items()}
        for parameter in self._model.parameters():
            parameter.requires_grad = False
        for parameter in self.parameters:
            parameter.requires_grad = True
        self.start_over()
        self._pooling = nn.Sequential(*list(whole)[1:]).to(self._device)
        self._kept: dict[int, Tensor] = {}
        self._tokens: list[list[int]] = []
        self.dimension = int(transformer.config.hidden_size)

    @property
    def parameters(self) -> list[nn.Parameter]:
        """Those that learn."""
        return [linear.base_layer.weight for linear in self._linears.values()]

    @property
    def lengths(self) -> NDArray[np.intp]:
        """Tokens of each text."""
        return np.array([len(ids) for ids in self._tokens], np.intp)

    def read(self, texts: Sequence[str], advance: Advance = lambda _: None) -> None:
        """Take in the texts that numbers stand for from now on, and pass them through the lower half."""
        prompted = [self._prompt + text for text in texts]
        encoded = self._tokenizer(prompted, truncation=True, max_length=self._max_tokens)
        self._tokens = [list(ids) for ids in encoded["input_ids"]]
        self._kept = {}
        room = MOST_KEPT
        self._model.eval()
        with torch.inference_mode():
            for some in self._by_length(range(len(texts))):
                hidden = self._lower(*self._padded(some)).half().cpu()
                for row, at in enumerate(some):
                    kept = hidden[row, : len(self._tokens[at])].clone()
                    room -= kept.nbytes
                    if room > 0:
                        self._kept[at] = kept
                advance(len(some))

    def embed(self, numbers: Sequence[int]) -> Tensor:
        """The vectors of some texts, with gradients of what learns; shape (texts, dimension)."""
        ids, mask = self._padded(numbers)
        with torch.no_grad():
            hidden = self._kept_or_lower(numbers, ids, mask)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._narrow):
            added = additive(mask)
            for layer in self._layers[self._frozen :]:
                hidden = hidden_states(layer(hidden, added))
        features = self._pooling({"token_embeddings": hidden.float(), "attention_mask": mask})
        # Not every encoder ends in a norm of its own.
        return normalize(features["sentence_embedding"], dim=1)

    def vectors(self, advance: Advance = lambda _: None) -> Vectors:
        """The vectors of all texts."""
        found = np.empty((len(self._tokens), self.dimension), np.float32)
        self.rest()
        with torch.inference_mode():
            for some in self._by_length(range(len(self._tokens))):
                found[some] = self.embed(some).cpu().numpy()
                advance(len(some))
        return found

    def train(self) -> None:
        """Turn dropout on, in the layers that learn."""
        self._model.eval()
        for layer in self._layers[self._frozen :]:
            layer.train()

    def rest(self) -> None:
        """Turn dropout off."""
        self._model.eval()

    def start_over(self) -> None:
        """Forget what was learned: the layers as the encoder has them, and no adapter."""
        self.restore(self._start)
        for linear in self._linears.values():
            linear.enable_adapters(enabled=False)

    def state(self) -> dict[str, Tensor]:
        """The weights that learn."""
        return {name: linear.base_layer.weight.detach().cpu().clone() for name, linear in self._linears.items()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            for name, linear in self._linears.items():
                linear.base_layer.weight.copy_(state[name])

    def keep_as_adapter(self) -> None:
        """Put what was learned into the adapter, as well as its rank can hold it, and the layers back to the start.

        The singular vectors of each change with the largest values (Eckart and Young 1936), in half precision, as
        they are saved.
        """
        with torch.no_grad():
            for name, linear in self._linears.items():
                weight, start = linear.base_layer.weight, self._start[name]
                left, sizes, right = torch.linalg.svd((weight - start).float(), full_matrices=False)
                up, down = linear.lora_B["default"].weight, linear.lora_A["default"].weight
                root = sizes[: self._rank].sqrt()
                up.zero_()[:, : len(root)] = (left[:, : len(root)] * root).half()
                down.zero_()[: len(root)] = (root[:, None] * right[: len(root)]).half()
                weight.copy_(start)
                linear.enable_adapters(enabled=True)

    def save(self, folder: Path, encoder: str) -> None:
        """Write the adapter as PEFT does, in half precision; `keep_as_adapter` comes before.

        Args:
            encoder: the name of the encoder, for the record.

        Raises:
            ModelError: when the folder cannot be written.
        """
        found: dict[str, Tensor] = get_peft_model_state_dict(self._model, save_embedding_layers=False)
        half = {name: tensor.detach().cpu().half() for name, tensor in found.items()}
        try:
            # Left to itself PEFT asks the model hub whether the vocabulary has grown.
            self._model.save_pretrained(str(folder), state_dict=half, save_embedding_layers=False)
            (folder / "README.md").unlink(missing_ok=True)
            config = folder / "adapter_config.json"
            about = {**json.loads(config.read_text()), "base_model_name_or_path": encoder}
            config.write_text(json.dumps(about, indent=1, sort_keys=True) + "\n")
        except (OSError, SafetensorError) as error:
            raise ModelError(
                f"The adapter cannot be written to {folder} ({error}). Make room there, or set FRONTDESK_CACHE_DIR to "
                "a folder on another disk."
            ) from error

    def _kept_or_lower(self, numbers: Sequence[int], ids: Tensor, mask: Tensor) -> Tensor:
        if any(at not in self._kept for at in numbers):
            return self._lower(ids, mask)
        hidden = torch.zeros(*ids.shape, self.dimension)
        for row, at in enumerate(numbers):
            hidden[row, : len(self._kept[at])] = self._kept[at]
        return hidden.to(self._device)

    def _lower(self, ids: Tensor, mask: Tensor) -> Tensor:
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._narrow):
            hidden: Tensor = self._embeddings(input_ids=ids)
            for layer in self._layers[: self._frozen]:
                hidden = hidden_states(layer(hidden, additive(mask)))
        return hidden.float()

    def _padded(self, numbers: Sequence[int]) -> tuple[Tensor, Tensor]:
        rows = [self._tokens[at] for at in numbers]
        ids = torch.full((len(rows), max(map(len, rows))), int(self._tokenizer.pad_token_id))
        mask = torch.zeros_like(ids)
        for row, tokens in enumerate(rows):
            ids[row, : len(tokens)] = torch.tensor(tokens)
            mask[row, : len(tokens)] = 1
        return ids.to(self._device), mask.to(self._device)

    def _by_length(self, numbers: Sequence[int]) -> list[list[int]]:
        order = sorted(numbers, key=lambda at: len(self._tokens[at]))
        return [order[at : at + _BATCH] for at in range(0, len(order), _BATCH)]
