"""The state of a training run on disk, so that a run that was killed goes on where it was."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from models.errors import DamagedFile
from models.files import verified_record, whole_folder

_STATE, _TENSORS = "state.json", "tensors.safetensors"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """
    Attributes:
        step: how many steps are done.
        numbers: what else is counted.
    """

    step: int
    numbers: Mapping[str, Any]
    tensors: Mapping[str, torch.Tensor]


class Checkpoints:
    """The checkpoints of one run, whose folder is named by a digest of everything that decides it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def latest(self) -> Checkpoint | None:
        """The newest whole one."""
        for step in sorted(self._steps(), reverse=True):
            folder = self._folder / str(step)
            try:
                verified_record(folder)
                tensors = load_file(folder / _TENSORS)
                return Checkpoint(step, json.loads((folder / _STATE).read_text()), tensors)
            except (DamagedFile, OSError, ValueError, SafetensorError):
                # A checkpoint that was damaged costs time and nothing else.
                shutil.rmtree(folder, ignore_errors=True)
        return None

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint, and then drop the ones before it."""
        with whole_folder(self._folder / str(checkpoint.step)) as scratch:
            (scratch / _STATE).write_text(json.dumps(dict(checkpoint.numbers)))
            save_file({name: tensor.contiguous() for name, tensor in checkpoint.tensors.items()}, scratch / _TENSORS)
        for step in self._steps():
            if step != checkpoint.step:
                shutil.rmtree(self._folder / str(step), ignore_errors=True)

    def clear(self) -> None:
        """Delete everything: the run is over."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _steps(self) -> list[int]:
        return [int(path.name) for path in self._folder.glob("*") if path.name.isdigit()]
