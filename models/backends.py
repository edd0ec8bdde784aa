"""Token ids in, sentence vectors out: OpenVINO, and torch where OpenVINO cannot be had."""

import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError

from models.errors import EncoderUnavailable
from models.files import verified_record, whole_folder
from models.types import Vectors

log = logging.getLogger(__name__)

Batch = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Token ids and attention mask, each of shape (texts, tokens)."""

STREAMS = 2


class Precision(StrEnum):
    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


class Backend(Protocol):
    @property
    def dimension(self) -> int: ...
    @property
    def runtime(self) -> str: ...
    def run(self, batches: Sequence[Batch]) -> list[Vectors]:
        """The vectors of each batch, in order. Not safe for two threads at once."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """What decides a model: the folder of an encoder, and maybe that of an adapter for its layers.

    Attributes:
        fingerprint: a digest of both.
    """

    folder: Path
    fingerprint: str
    adapter: Path | None = None


def load_backend(files: ModelFiles, cache: Path, backend: str, precision: Precision, threads: int) -> Backend:
    """The runtime asked for, or with `auto` the first that works.

    Args:
        cache: the folder for converted models.
    """
    if backend in ("auto", "openvino"):
        try:
            return OpenVinoBackend(converted(files, cache), precision, threads)
        except ImportError as error:
            if backend == "openvino":
                raise EncoderUnavailable("OpenVINO is not installed; set FRONTDESK_BACKEND=torch.") from error
            log.warning("OpenVINO is not installed, torch serves instead")
    elif backend != "torch":
        raise EncoderUnavailable(f"Unknown backend {backend!r}; set FRONTDESK_BACKEND to auto, openvino or torch.")
    return TorchBackend(files, precision, threads)


def has_bfloat16() -> bool:
    """Whether the CPU has bfloat16 in hardware, as OpenVINO sees it."""
    try:
        import openvino
    except ImportError:
        return False
    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def load_sentence_transformer(folder: Path, adapter: Path | None = None) -> Any:
    """The encoder as sentence-transformers loads it, in float32 on the CPU: the reference, and what training uses.

    Args:
        adapter: the folder of a PEFT adapter to merge into its layers.

    Raises:
        EncoderUnavailable: when the adapter does not fit.
    """
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    logs: Any = transformers_logging  # it has no types
    logs.set_verbosity_error()
    logs.disable_progress_bar()
    encoder = SentenceTransformer(str(folder), device="cpu").eval()
    if adapter is not None:
        from peft import PeftModel

        try:
            with warnings.catch_warnings():
                # PEFT asks transformers under a name that is going away.
                warnings.simplefilter("ignore", FutureWarning)
                encoder[0].model = PeftModel.from_pretrained(encoder[0].model, str(adapter)).merge_and_unload()
        except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
            raise EncoderUnavailable(
                f"The adapter in {adapter} does not fit the encoder in {folder} ({error}). Train the bundle again."
            ) from error
    return encoder


def converted(files: ModelFiles, cache: Path) -> Path:
    """The OpenVINO model, adapter, pooling and norm inside, converted once per fingerprint."""
    import openvino

    release = openvino.get_version().split("-")[0]
    target = cache / f"{files.fingerprint}-{release}"
    if not target.is_dir():
        with whole_folder(target) as scratch:
            module, example = _traceable(files)
            with warnings.catch_warnings():
                # torch and transformers warn about being traced at all; tests compare the result with the original.
                warnings.simplefilter("ignore")
                model = openvino.convert_model(module, example_input=example)
            openvino.save_model(model, scratch / "model.xml", compress_to_fp16=False)
    verified_record(target)
    return target / "model.xml"


def _traceable(files: ModelFiles) -> tuple[Any, Any]:
    import torch

    class Pooled(torch.nn.Module):
        def __init__(self, model: Any) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            features = {"input_ids": input_ids, "attention_mask": attention_mask}
            vectors: torch.Tensor = self.model(features)["sentence_embedding"]
            return vectors

    example = torch.ones(2, 8, dtype=torch.long)
    return Pooled(load_sentence_transformer(files.folder, files.adapter)), {
        "input_ids": example,
        "attention_mask": example,
    }


class OpenVinoBackend:
    """One model compiled twice over shared weights: for one batch at once, and for a stream of them."""

    def __init__(self, model: Path, precision: Precision, threads: int) -> None:
        import openvino
        import openvino.properties.hint as hints

        self._openvino = openvino
        self._core = openvino.Core()
        capabilities = self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        wide = precision is Precision.FLOAT32 or (precision is Precision.AUTO and "BF16" not in capabilities)
        self._common: dict[Any, Any] = {
            hints.inference_precision: openvino.Type.f32 if wide else openvino.Type.bf16,
            hints.execution_mode: hints.ExecutionMode.PERFORMANCE,
        }
        if threads:
            self._common["INFERENCE_NUM_THREADS"] = threads
        self.runtime = f"OpenVINO {'float32' if wide else 'bfloat16'}"
        self._model = self._core.read_model(model)
        latency = self._core.compile_model(self._model, "CPU", {**self._common, "NUM_STREAMS": 1})
        self._single = latency.create_infer_request()
        self._queue: Any = None
        self.dimension = int(latency.output(0).partial_shape[1].get_length())

    def run(self, batches: Sequence[Batch]) -> list[Vectors]:
        if len(batches) == 1:
            self._single.infer(dict(enumerate(batches[0])))
            return [self._single.get_output_tensor(0).data.copy()]
        vectors: list[Vectors] = [np.empty(0, np.float32)] * len(batches)

        def keep(request: Any, at: int) -> None:
            vectors[at] = request.get_output_tensor(0).data.copy()

        queue = self._streams()
        queue.set_callback(keep)
        for at, batch in enumerate(batches):
            queue.start_async(dict(enumerate(batch)), at)
        queue.wait_all()
        return vectors

    def _streams(self) -> Any:
        if self._queue is None:
            throughput = self._core.compile_model(self._model, "CPU", {**self._common, "NUM_STREAMS": STREAMS})
            self._queue = self._openvino.AsyncInferQueue(throughput, STREAMS)
        return self._queue


class TorchBackend:
    """The same model through torch, several times slower: the fallback, and the reference in tests."""

    def __init__(self, files: ModelFiles, precision: Precision, threads: int) -> None:
        import torch

        if threads:
            torch.set_num_threads(threads)
        self._torch = torch
        self._narrow = precision is Precision.BFLOAT16
        self._model = load_sentence_transformer(files.folder, files.adapter)
        self.runtime = f"torch {'bfloat16' if self._narrow else 'float32'}"
        self.dimension = int(self._model.get_embedding_dimension())

    def run(self, batches: Sequence[Batch]) -> list[Vectors]:
        torch = self._torch
        vectors: list[Vectors] = []
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=self._narrow):
            for ids, mask in batches:
                features = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
                vectors.append(self._model(features)["sentence_embedding"].float().numpy())
        return vectors
