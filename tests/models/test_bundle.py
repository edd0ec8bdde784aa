"""Bundles on disk: exact, reproducible, small, and refused when damaged, foreign or too new."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.bundle import MANIFEST, WEIGHTS, Bundle, load_bundle, read_manifest, save_bundle
from models.errors import BundleError, DamagedFile, EncoderMismatch, ModelError
from models.features import BUCKETS, FeatureScale
from models.files import RECORD, sha256
from models.heads import Head
from models.light import LightEncoder
from tests.models.samples import EVERY_MESSAGE


def _bundle(*, tasks: tuple[str, ...] = ("intent",), labels: int = 3, dimension: int = 64) -> Bundle:
    """Random heads, as large as asked for, on the light encoder."""
    draw = np.random.default_rng(13)
    names = [f"ярлык.{at}" for at in range(labels)]
    heads = {}
    for task in tasks:
        weights = draw.normal(size=(labels, dimension + BUCKETS))
        head = Head.from_weights(names, weights, draw.normal(size=labels), dimension)
        heads[task] = replace(head, sharpness=2.8544, thresholds=np.full(labels, 0.9042))
    scale = FeatureScale(draw.normal(size=dimension).astype(np.float32), np.ones(BUCKETS, np.float32))
    about = {"name": "light", "fingerprint": LightEncoder().fingerprint, "dimension": dimension}
    return Bundle("quầy", 3, about, scale, heads, notes={"data": {"rows": 18, "fingerprint": "ecad73e7"}})


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save_bundle(_bundle(), tmp_path / "bundle")
    return tmp_path / "bundle"


def _change_manifest(folder: Path, **changes: Any) -> None:
    """Write another manifest and keep the record true, as another version of the program would have."""
    manifest = {**json.loads((folder / MANIFEST).read_text()), **changes}
    (folder / MANIFEST).write_text(json.dumps({key: value for key, value in manifest.items() if value is not None}))
    (folder / RECORD).write_text(json.dumps({name: sha256(folder / name) for name in (MANIFEST, WEIGHTS)}))


def test_a_loaded_bundle_predicts_exactly_what_was_trained(
    light_bundle: Bundle, light_bundle_folder: Path, light_encoder: LightEncoder
) -> None:
    loaded = load_bundle(light_bundle_folder, light_encoder)
    vectors = light_encoder.encode(EVERY_MESSAGE)
    predictions = loaded.predict(EVERY_MESSAGE, vectors)
    assert predictions == light_bundle.predict(EVERY_MESSAGE, vectors)
    assert len(predictions) == len(EVERY_MESSAGE)
    assert all(prediction.keys() == {"intent", "urgency", "channel"} for prediction in predictions)
    assert loaded.notes == light_bundle.notes
    assert loaded.reference == light_bundle.reference == "light@1"
    assert loaded.language_centers.keys() == {"vi", "th", "zh-Hans", "zh-Hant", "ru", "en", "und"}
    for task, head in light_bundle.heads.items():
        assert np.array_equal(loaded.heads[task].dense, head.dense)
        assert np.array_equal(loaded.heads[task].lexical, head.lexical)


def test_the_same_bundle_gives_the_same_bytes_again_and_after_a_round_trip(
    light_bundle: Bundle, light_bundle_folder: Path, light_encoder: LightEncoder, tmp_path: Path
) -> None:
    save_bundle(light_bundle, tmp_path / "again")
    save_bundle(load_bundle(light_bundle_folder, light_encoder), tmp_path / "copy")
    for name in (MANIFEST, WEIGHTS, RECORD):
        content = (light_bundle_folder / name).read_bytes()
        assert (tmp_path / "again" / name).read_bytes() == content
        assert (tmp_path / "copy" / name).read_bytes() == content


def test_no_texts_have_no_predictions(light_bundle: Bundle, light_encoder: LightEncoder) -> None:
    assert light_bundle.predict([], light_encoder.encode([])) == []


def test_sixty_labels_on_each_of_three_tasks_stay_under_ten_megabytes(tmp_path: Path) -> None:
    save_bundle(_bundle(tasks=("intent", "queue", "product"), labels=60, dimension=384), tmp_path / "large")
    assert sum(path.stat().st_size for path in (tmp_path / "large").iterdir()) <= 10_000_000


def test_a_bundle_is_data_that_people_can_read(saved: Path) -> None:
    assert {path.name for path in saved.iterdir()} == {MANIFEST, WEIGHTS, RECORD}
    text = (saved / MANIFEST).read_text(encoding="utf-8")
    assert '"quầy"' in text
    assert '"ярлык.2"' in text


def test_no_byte_of_a_bundle_can_flip_unseen(saved: Path, light_encoder: LightEncoder) -> None:
    for name, step in ((MANIFEST, 3), (WEIGHTS, 8009), (RECORD, 3)):
        whole = (saved / name).read_bytes()
        for at in range(0, len(whole), step):
            damaged = bytearray(whole)
            damaged[at] ^= 2
            (saved / name).write_bytes(damaged)
            with pytest.raises(ModelError, match=r"Restore the bundle|this version"):
                load_bundle(saved, light_encoder)
        (saved / name).write_bytes(whole)
    assert load_bundle(saved, light_encoder).reference == "quầy@3"


@pytest.mark.parametrize("name", [WEIGHTS, RECORD])
def test_a_bundle_that_lost_a_file_is_damaged(saved: Path, light_encoder: LightEncoder, name: str) -> None:
    (saved / name).unlink()
    with pytest.raises(DamagedFile, match=rf"{name}.* Restore the bundle from its backup or train it again\."):
        load_bundle(saved, light_encoder)


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path: Path, light_encoder: LightEncoder) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(BundleError, match=r"it has no manifest\.json\. Run `frontdesk train`\."):
            load_bundle(folder, light_encoder)


def test_a_bundle_of_another_encoder_names_both(saved: Path) -> None:
    with pytest.raises(EncoderMismatch) as refused:
        load_bundle(saved, LightEncoder(seed=7))
    for part in ("quầy@3", "light (light-0)", "light (light-7)", "FRONTDESK_ENCODER", "train the bundle again"):
        assert part in str(refused.value)


def test_a_newer_format_is_refused(saved: Path, light_encoder: LightEncoder) -> None:
    _change_manifest(saved, format=99)
    with pytest.raises(BundleError, match="has format 99; this version of Frontdesk reads"):
        load_bundle(saved, light_encoder)


def test_other_features_are_refused(saved: Path, light_encoder: LightEncoder) -> None:
    _change_manifest(saved, features={"buckets": 2**18, "ngrams": [1, 5]})
    with pytest.raises(BundleError, match=r"uses features .*262144.*; this version knows"):
        load_bundle(saved, light_encoder)


@pytest.mark.parametrize("key", ["format", "name", "version", "encoder", "features", "tasks"])
def test_a_manifest_without_what_every_reader_needs_is_refused(saved: Path, key: str) -> None:
    _change_manifest(saved, **{key: None})
    with pytest.raises(BundleError, match=f"lacks {key}"):
        read_manifest(saved)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"7", b"\xff\xfe"])
def test_a_manifest_that_is_none_is_refused(saved: Path, light_encoder: LightEncoder, content: bytes) -> None:
    (saved / MANIFEST).write_bytes(content)
    with pytest.raises(BundleError, match="train it again"):
        load_bundle(saved, light_encoder)


def test_a_task_without_weights_is_refused(saved: Path, light_encoder: LightEncoder) -> None:
    tasks = read_manifest(saved)["tasks"]
    _change_manifest(saved, tasks={**tasks, "queue": tasks["intent"]})
    with pytest.raises(BundleError, match=r"is not a whole bundle: .*queue.* Train it again\."):
        load_bundle(saved, light_encoder)


def test_a_bundle_is_never_written_over_another(saved: Path) -> None:
    before = {path.name: path.read_bytes() for path in saved.iterdir()}
    with pytest.raises(BundleError, match=r"exists already\. Name a new folder"):
        save_bundle(_bundle(labels=4), saved)
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before
