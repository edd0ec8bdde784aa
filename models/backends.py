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
    def outputs(self) -> int:
        """Vectors of each text."""

    @property
    def dimension(self) -> int: ...
    @property
    def runtime(self) -> str: ...
    def run(self, batches: Sequence[Batch]) -> list[NDArray[np.float32]]:
        """The vectors of each batch, in order, shape (outputs, texts, dimension). Not safe for two threads at once."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """What decides a model: the folder of an encoder, and maybe that of an adapter for its layers.

    Attributes:
        fingerprint: a digest of both.
    """

    folder: Path
    fingerprint: str
    adapter: Path | None = None


def load_backend(
    files: ModelFiles, cache: Path, backend: str, precision: Precision, threads: int, *, both: bool = False
) -> Backend:
    """The runtime asked for, or with `auto` the first that works.

    Args:
        cache: the folder for converted models.
        both: with an adapter, whether the vectors without it are wanted too, before those with it.
    """
    if backend in ("auto", "openvino"):
        try:
            return OpenVinoBackend(converted(files, cache), precision, threads, both=both)
        except ImportError as error:
            if backend == "openvino":
                raise EncoderUnavailable("OpenVINO is not installed; set FRONTDESK_BACKEND=torch.") from error
            log.warning("OpenVINO is not installed, torch serves instead")
    elif backend != "torch":
        raise EncoderUnavailable(f"Unknown backend {backend!r}; set FRONTDESK_BACKEND to auto, openvino or torch.")
    return TorchBackend(files, precision, threads, both=both)


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
    """The OpenVINO model, pooling and norm inside, converted once per fingerprint.

    With an adapter it has two outputs: without the adapter, and with it.
    """
    import openvino

    release = openvino.get_version().split("-")[0]
    target = cache / f"{files.fingerprint}-{release}{'-both' if files.adapter else ''}"
    if not target.is_dir():
        import torch

        example = torch.ones(2, 8, dtype=torch.long)
        with whole_folder(target) as scratch:
            with warnings.catch_warnings():
                # torch and transformers warn about being traced at all; tests compare the result with the original.
                warnings.simplefilter("ignore")
                model = openvino.convert_model(
                    traceable(load_models(files, both=True)),
                    example_input={"input_ids": example, "attention_mask": example},
                )
            openvino.save_model(model, scratch / "model.xml", compress_to_fp16=False)
    verified_record(target)
    return target / "model.xml"


def traceable(models: Sequence[Any]) -> Any:
    """A module of token ids and mask that gives a vector of each model for each text."""
    from models.halves import Together

    return Together(models)


def load_models(files: ModelFiles, *, both: bool) -> list[Any]:
    """The encoder, with its adapter where it has one; and before it, if both are wanted, the one without."""
    adapters = [None, files.adapter] if files.adapter and both else [files.adapter]
    return [load_sentence_transformer(files.folder, adapter) for adapter in adapters]


class OpenVinoBackend:
    """One model compiled twice over shared weights: for one batch at once, and for a stream of them."""

    def __init__(self, model: Path, precision: Precision, threads: int, *, both: bool = False) -> None:
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
        whole = self._core.read_model(model)
        wanted = whole.outputs if both else whole.outputs[-1:]
        self._model = openvino.Model([output.get_node() for output in wanted], whole.get_parameters())
        self.outputs = len(wanted)
        self.dimension = int(wanted[0].partial_shape[1].get_length())
        self._single: Any = None
        self._queue: Any = None

    def run(self, batches: Sequence[Batch]) -> list[NDArray[np.float32]]:
        if len(batches) == 1:
            request = self._latency()
            request.infer(dict(enumerate(batches[0])))
            return [self._vectors(request)]
        vectors: list[NDArray[np.float32]] = [np.empty(0, np.float32)] * len(batches)

        def keep(request: Any, at: int) -> None:
            vectors[at] = self._vectors(request)

        queue = self._streams()
        queue.set_callback(keep)
        for at, batch in enumerate(batches):
            queue.start_async(dict(enumerate(batch)), at)
        queue.wait_all()
        return vectors

    def _vectors(self, request: Any) -> NDArray[np.float32]:
        return np.stack([request.get_output_tensor(at).data for at in range(self.outputs)])

    def _latency(self) -> Any:
        if self._single is None:
            compiled = self._core.compile_model(self._model, "CPU", {**self._common, "NUM_STREAMS": 1})
            self._single = compiled.create_infer_request()
        return self._single

    def _streams(self) -> Any:
        if self._queue is None:
            throughput = self._core.compile_model(self._model, "CPU", {**self._common, "NUM_STREAMS": STREAMS})
            self._queue = self._openvino.AsyncInferQueue(throughput, STREAMS)
        return self._queue


class TorchBackend:
    """The same models through torch, several times slower: the fallback, and the reference in tests."""

    def __init__(self, files: ModelFiles, precision: Precision, threads: int, *, both: bool = False) -> None:
        import torch

        if threads:
            torch.set_num_threads(threads)
        self._torch = torch
        self._narrow = precision is Precision.BFLOAT16
        self._model = traceable(load_models(files, both=both))
        self.outputs = len(self._model.models)
        self.runtime = f"torch {'bfloat16' if self._narrow else 'float32'}"
        self.dimension = int(self._model.models[0].get_embedding_dimension())

    def run(self, batches: Sequence[Batch]) -> list[NDArray[np.float32]]:
        torch = self._torch
        vectors: list[NDArray[np.float32]] = []
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=self._narrow):
            for ids, mask in batches:
                found = self._model(torch.from_numpy(ids), torch.from_numpy(mask))
                vectors.append(np.stack([each.float().numpy() for each in found]))
        return vectors
