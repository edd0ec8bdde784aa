"""A trained model on disk: `manifest.json` and `weights.safetensors`, never code."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from models.errors import BundleError, EncoderMismatch
from models.features import BUCKETS, NGRAMS, FeatureScale, lexical_counts
from models.files import verified_record, whole_folder
from models.heads import Head, pack, unpack
from models.scope import Scope
from models.types import AdaptedEncoder, Encoder, Prediction, Scored, Vectors

FORMAT = 2
MANIFEST, WEIGHTS, ADAPTER = "manifest.json", "weights.safetensors", "adapter"
_CENTER, _SHIFT = "language_center.", "language_shift."

Languages = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Bundle:
    """Heads for one or more tasks on one encoder, and where they come from.

    Attributes:
        encoder: `{"name", "fingerprint", "dimension"}` of the encoder it was trained on.
        language_centers: the mean vector of the messages of each language, for search across languages; always of the
            encoder itself, never of the adapted one.
        language_shifts: how far the messages of a language that no row was in lie from those that heads learned from.
        adapter: the folder of a PEFT adapter that belongs to the bundle, where its heads read an adapted encoder.
        adapted: that encoder.
        notes: what else the manifest says: data fingerprint, metrics, library versions, seed.
    """

    name: str
    version: int
    encoder: Mapping[str, Any]
    scale: FeatureScale
    heads: Mapping[str, Head]
    language_centers: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)
    adapter: Path | None = None
    adapted: AdaptedEncoder | None = None
    language_shifts: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        return f"{self.name}@{self.version}"

    def vectors(self, texts: Sequence[str], encoder: Encoder, languages: Languages = ()) -> Vectors:
        """What the heads read: by the adapted encoder of the bundle, or else by `encoder`, which it was trained on.

        Args:
            languages: of each text, None where it is not known; none at all where none is.
        """
        return self.shifted((self.adapted or encoder).encode(texts), languages)

    def both_vectors(
        self, texts: Sequence[str], encoder: Encoder, languages: Languages = ()
    ) -> tuple[Vectors, Vectors]:
        """What search reads and what the heads read, in one go; `encoder` is the one it was loaded with."""
        if self.adapted is not None:
            vectors, own = self.adapted.encode_both(texts)
        else:
            vectors = own = encoder.encode(texts)
        return vectors, self.shifted(own, languages)

    def shifted(self, vectors: Vectors, languages: Languages) -> Vectors:
        """`vectors`, with messages in languages that no row was in moved to where those lie that heads know."""
        if not (self.language_shifts and len(vectors) and languages):
            return vectors
        stays = np.zeros(vectors.shape[1], np.float32)
        return vectors - np.stack([self.language_shifts.get(language or "", stays) for language in languages])

    def score(self, texts: Sequence[str], vectors: Vectors) -> dict[str, Scored]:
        """What every task says about all texts, as arrays."""
        dense, lexical = self.scale.dense(vectors), self.scale.lexical(lexical_counts(texts))
        return {task: head.score(dense, lexical) for task, head in self.heads.items()}

    def predict(self, texts: Sequence[str], vectors: Vectors) -> list[dict[str, Prediction]]:
        """For each text, the prediction of every task. `vectors` are what `vectors` gives for the same texts."""
        if not texts:
            return []
        dense, lexical = self.scale.dense(vectors), self.scale.lexical(lexical_counts(texts))
        columns = [head.predict(dense, lexical) for head in self.heads.values()]
        return [dict(zip(self.heads, row, strict=True)) for row in zip(*columns, strict=True)]


def save_bundle(bundle: Bundle, folder: Path) -> None:
    """Write a bundle into a new folder; the same bundle always gives the same bytes.

    Raises:
        BundleError: when something is there already, or it cannot be written; then nothing of it is left.
    """
    if folder.exists():
        raise BundleError(f"{folder} exists already. Name a new folder, or delete it first.")
    tensors: dict[str, NDArray[Any]] = {
        "center": bundle.scale.center.astype(np.float16),
        "idf": bundle.scale.idf.astype(np.float16),
    }
    for prefix, found in ((_CENTER, bundle.language_centers), (_SHIFT, bundle.language_shifts)):
        tensors |= {f"{prefix}{language}": vector.astype(np.float16) for language, vector in found.items()}
    for task, head in bundle.heads.items():
        tensors |= _head_tensors(task, head)
    manifest = {
        "format": FORMAT,
        "name": bundle.name,
        "version": bundle.version,
        "encoder": {**bundle.encoder, "adapted": bundle.adapter is not None},
        "features": {"buckets": BUCKETS, "ngrams": list(NGRAMS)},
        "tasks": {task: _head_record(head) for task, head in bundle.heads.items()},
        **bundle.notes,
    }
    try:
        with whole_folder(folder) as scratch:
            (scratch / WEIGHTS).write_bytes(save({k: np.ascontiguousarray(v) for k, v in sorted(tensors.items())}))
            text = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True)
            (scratch / MANIFEST).write_text(text + "\n", encoding="utf-8")
            if bundle.adapter is not None:
                # Contents alone: PEFT writes files that only their owner can read, and a server may be another.
                shutil.copytree(bundle.adapter, scratch / ADAPTER, copy_function=shutil.copyfile)
    # shutil's own error names every file and has no reason of its own.
    except OSError as error:
        reason = error.strerror or str(error)[:200]
        raise BundleError(
            f"{folder} cannot be written ({reason}), and nothing of it was kept. Make room there, and run this again; "
            "what was computed so far is in the cache."
        ) from error


def load_bundle(folder: Path, encoder: Encoder) -> Bundle:
    """Read a bundle that was trained on this very encoder.

    Raises:
        BundleError: no bundle there, or one of another format.
        DamagedFile: a file is not what was written.
        EncoderMismatch: trained on another encoder; both are named.
    """
    manifest = read_manifest(folder)
    verified_record(folder, "Restore the bundle from its backup or train it again.")
    trained_on = manifest["encoder"]
    if trained_on["fingerprint"] != encoder.fingerprint:
        raise EncoderMismatch(
            f"Bundle {manifest['name']}@{manifest['version']} was trained on encoder {trained_on['name']} "
            f"({trained_on['fingerprint']}), and {encoder.name} ({encoder.fingerprint}) is loaded. "
            "Set FRONTDESK_ENCODER to the first, or train the bundle again on the second."
        )
    try:
        tensors = load((folder / WEIGHTS).read_bytes())
        scale = FeatureScale(tensors["center"].astype(np.float32), tensors["idf"].astype(np.float32))
        centers, shifts = (
            {
                name.removeprefix(prefix): tensor.astype(np.float32)
                for name, tensor in tensors.items()
                if name.startswith(prefix)
            }
            for prefix in (_CENTER, _SHIFT)
        )
        heads = {task: _head(task, about, tensors) for task, about in manifest["tasks"].items()}
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise BundleError(f"{folder} is not a whole bundle: {error!r}. Train it again.") from error
    known = {"format", "name", "version", "encoder", "features", "tasks"}
    notes = {key: value for key, value in manifest.items() if key not in known}
    about = {key: value for key, value in trained_on.items() if key != "adapted"}
    adapter = folder / ADAPTER if trained_on.get("adapted") else None
    adapted = encoder.adapted(adapter) if adapter else None
    return Bundle(manifest["name"], manifest["version"], about, scale, heads, centers, notes, adapter, adapted, shifts)


def _head_record(head: Head) -> dict[str, Any]:
    record: dict[str, Any] = {
        "labels": list(head.labels),
        "sharpness": head.sharpness,
        "thresholds": [round(float(threshold), 4) for threshold in head.thresholds],
        "multi_label": head.multi_label,
    }
    if head.scope:
        record["scope"] = {
            "weights": [float(weight) for weight in head.scope.weights],
            "bias": head.scope.bias,
            "threshold": head.scope.threshold,
        }
    return record


def _head_tensors(task: str, head: Head) -> dict[str, NDArray[Any]]:
    lexical, scale = pack(head.lexical)
    tensors: dict[str, NDArray[Any]] = {
        f"{task}.dense": head.dense.astype(np.float16),
        f"{task}.lexical": lexical,
        f"{task}.lexical_scale": scale,
        f"{task}.bias": head.bias,
    }
    return tensors if head.scope is None else {**tensors, f"{task}.means": head.scope.means.astype(np.float16)}


def _head(task: str, about: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Head:
    scope = None
    if known := about.get("scope"):
        weights = np.array(known["weights"], np.float32)
        means = tensors[f"{task}.means"].astype(np.float32)
        scope = Scope(means, weights, float(known["bias"]), float(known["threshold"]))
    return Head(
        tuple(about["labels"]),
        tensors[f"{task}.dense"].astype(np.float32),
        unpack(tensors[f"{task}.lexical"], tensors[f"{task}.lexical_scale"]),
        tensors[f"{task}.bias"],
        float(about["sharpness"]),
        np.array(about["thresholds"], np.float64),
        scope,
        bool(about["multi_label"]),
    )


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of the bundle in `folder`, checked for what every reader needs."""
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BundleError(f"No bundle at {folder}: it has no {MANIFEST}. Run `frontdesk train`.") from error
    except (OSError, ValueError) as error:
        raise BundleError(f"{path} cannot be read ({error}). Restore the bundle or train it again.") from error
    needed = {"format", "name", "version", "encoder", "features", "tasks"}
    missing = sorted(needed - manifest.keys()) if isinstance(manifest, dict) else sorted(needed)
    if missing:
        raise BundleError(f"{path} lacks {', '.join(missing)}. Restore the bundle or train it again.")
    if manifest["format"] != FORMAT:
        raise BundleError(f"{path} has format {manifest['format']}; this version of Frontdesk reads {FORMAT}.")
    if manifest["features"] != {"buckets": BUCKETS, "ngrams": list(NGRAMS)}:
        raise BundleError(f"{path} uses features {manifest['features']}; this version knows {BUCKETS}, {NGRAMS}.")
    return dict(manifest)
