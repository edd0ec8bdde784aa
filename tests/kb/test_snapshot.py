"""Snapshots of an index: cut off, flipped, about something else, a full disk, a process killed while it saves."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kb.errors import SnapshotNotSaved, SnapshotUnusable
from kb.index import Index, IndexSettings, Kind, load_index
from kb.snapshot import LOCK, MANIFEST, SCRATCH
from models.files import replace_file
from tests.conftest import ROOT
from tests.trouble import largest_file

ABOUT = {"encoder": "e5@1571fc98", "version": "v1"}
SETTINGS = IndexSettings(kind=Kind.CELLS)


def rows(seed: int, size: int = 1_500) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((size, 32)).astype(np.float32)


@pytest.fixture(scope="module")
def index() -> Index:
    return Index(rows(1), SETTINGS)


@pytest.fixture
def saved(tmp_path: Path, index: Index) -> Path:
    folder = tmp_path / "index"
    index.save(folder, ABOUT)
    return folder


def content(folder: Path) -> Path:
    [path] = folder.glob("index-*.faiss")
    return path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {LOCK}


def assert_refused(folder: Path, pattern: str, about: dict[str, str] = ABOUT, *, rows: int | None = None) -> None:
    with pytest.raises(SnapshotUnusable, match=pattern) as caught:
        load_index(folder, about, SETTINGS, rows=rows)
    assert "built again from the database" in str(caught.value)


def test_the_manifest_says_what_was_built_and_measured(saved: Path, index: Index) -> None:
    manifest = json.loads((saved / MANIFEST).read_text())
    assert manifest["kind"] == "cells"
    assert (manifest["rows"], manifest["dimension"]) == (1_500, 32)
    assert (manifest["effort"], manifest["recall"]) == (index.facts.effort, index.facts.recall)
    assert manifest["about"] == ABOUT
    assert manifest["files"][content(saved).name]["size"] == content(saved).stat().st_size


@pytest.mark.parametrize("make", [lambda folder: None, lambda folder: folder.mkdir()])
def test_nothing_there(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "index")
    assert_refused(tmp_path / "index", "No saved index at")


@pytest.mark.parametrize("share", [0, 0.0001, 0.1, 0.5, 0.9, 0.9999])
def test_an_index_that_was_cut_off(saved: Path, share: float) -> None:
    path = content(saved)
    os.truncate(path, int(share * path.stat().st_size))
    assert_refused(saved, "bytes: it is not whole")


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 0.99])
def test_a_manifest_that_was_cut_off(saved: Path, share: float) -> None:
    path = saved / MANIFEST
    os.truncate(path, int(share * path.stat().st_size))
    assert_refused(saved, "damaged")


def test_a_flipped_bit_anywhere_is_seen(saved: Path) -> None:
    dice = np.random.default_rng(5)
    for path in (saved / MANIFEST, content(saved)):
        whole = path.read_bytes()
        for at in (0, len(whole) - 2, *dice.integers(len(whole), size=20).tolist()):
            bad = bytearray(whole)
            bad[at] ^= 1 << int(dice.integers(8))
            path.write_bytes(bad)
            with pytest.raises(SnapshotUnusable):
                load_index(saved, ABOUT, SETTINGS)
        path.write_bytes(whole)
    assert load_index(saved, ABOUT, SETTINGS).facts.rows == 1_500


def test_a_file_that_is_gone(saved: Path) -> None:
    content(saved).unlink()
    assert_refused(saved, "cannot be read")


@pytest.mark.parametrize("text", ["[]", "null", "{}", '{"format": 1}', '"x"', "\udcff"])
def test_a_manifest_that_is_none(saved: Path, text: str) -> None:
    (saved / MANIFEST).write_bytes(text.encode("utf-8", "surrogateescape"))
    assert_refused(saved, "manifest.json|format")


def test_another_encoder_is_named_beside_the_wanted_one(saved: Path) -> None:
    assert_refused(
        saved, r"built for encoder 'e5@1571fc98', and 'minilm@77' is wanted", {**ABOUT, "encoder": "minilm@77"}
    )
    assert_refused(saved, "built for bundle None, and 'starter@1' is wanted", {**ABOUT, "bundle": "starter@1"})


def test_a_newer_format(saved: Path) -> None:
    path = saved / MANIFEST
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    assert_refused(saved, "format 2, and this version of Frontdesk reads 1")


def test_other_rows_and_other_settings(saved: Path) -> None:
    assert_refused(saved, "1,500 rows, and there are 1,501 passages", rows=1_501)
    with pytest.raises(SnapshotUnusable, match=r"built with .*0\.97.*0\.9\b"):
        load_index(saved, ABOUT, IndexSettings(kind=Kind.CELLS, recall=0.9))


def test_a_new_snapshot_takes_the_place_of_the_old_one_which_goes_on_answering(saved: Path, index: Index) -> None:
    query = rows(9, 1)
    mapped = load_index(saved, ABOUT, SETTINGS, mapped=True)
    before = index.nearest(query, 5).rows.tolist()
    other = Index(rows(2), SETTINGS)
    other.save(saved, {**ABOUT, "version": "v2"})
    assert names(saved) == {MANIFEST, content(saved).name}
    assert_refused(saved, "built for version 'v2'")
    now = load_index(saved, {"version": "v2"}, SETTINGS)
    assert now.nearest(query, 5).rows.tolist() == other.nearest(query, 5).rows.tolist() != before
    assert mapped.nearest(query, 5).rows.tolist() == before


@pytest.mark.parametrize("room", [0, 100, 4_096, 30_000])
def test_a_disk_that_is_full_leaves_what_was_there(saved: Path, room: int) -> None:
    before = {path.name: path.read_bytes() for path in saved.iterdir()}
    other = Index(rows(2), SETTINGS)
    with largest_file(room), pytest.raises(SnapshotNotSaved, match=r"File too large.*Make room"):
        other.save(saved, ABOUT)
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before
    assert load_index(saved, ABOUT, SETTINGS).nearest(rows(9, 1), 5).rows.shape == (1, 5)
    other.save(saved, ABOUT)
    assert names(saved) == {MANIFEST, content(saved).name}


def test_a_disk_that_is_full_before_anything_was_there(tmp_path: Path, index: Index) -> None:
    with largest_file(10_000), pytest.raises(SnapshotNotSaved, match="File too large"):
        index.save(tmp_path / "index", ABOUT)
    assert names(tmp_path / "index") == set()
    assert_refused(tmp_path / "index", "No saved index at")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_device_without_space(saved: Path) -> None:
    before = {path.name: path.read_bytes() for path in saved.iterdir()}
    (saved / SCRATCH).symlink_to("/dev/full")
    with pytest.raises(SnapshotNotSaved, match=r"No space left on device.*stays as it was"):
        Index(rows(2), SETTINGS).save(saved, ABOUT)
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before


def test_a_manifest_that_does_not_fit_leaves_the_old_one(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path.name: path.read_bytes() for path in saved.iterdir()}

    def full(path: Path, content: bytes) -> None:
        # The content is on the disk by now; here the disk becomes full.
        with largest_file(10):
            replace_file(path, content)

    monkeypatch.setattr("kb.snapshot.replace_file", full)
    with pytest.raises(SnapshotNotSaved, match="File too large"):
        Index(rows(2), SETTINGS).save(saved, ABOUT)
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before


def test_a_place_that_is_no_folder(tmp_path: Path, index: Index) -> None:
    (tmp_path / "index").write_text("a note")
    with pytest.raises(SnapshotNotSaved, match="cannot be written"):
        index.save(tmp_path / "index", ABOUT)
    assert (tmp_path / "index").read_text() == "a note"


KILLED_AT_A_CALL = """
import os, signal, sys
from pathlib import Path
import numpy as np
from kb.index import Index, IndexSettings, Kind, load_index
from tests.trouble import deadly

settings = IndexSettings(kind=Kind.CELLS)
one, two = (Index(np.random.default_rng(n).standard_normal((1500, 32)).astype("f4"), settings) for n in (1, 2))
folder = Path(sys.argv[1])

for home, name, number in ((os, "fsync", 1), (Path, "replace", 1), (os, "fsync", 2), (Path, "replace", 2),
                           (os, "fsync", 3), (Path, "unlink", 1)):
    for after in (False, True):
        one.save(folder, {"version": "one"})
        child = os.fork()
        if not child:
            deadly(home, name, number, after=after)
            two.save(folder, {"version": "two"})
            os._exit(0)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL, f"{name} {number} was never called"
        # Whatever it is, it is whole.
        for version in ("one", "two"):
            try:
                load_index(folder, {"version": version}, settings, rows=1500)
                print(name, number, "after" if after else "before", version)
            except Exception as error:
                assert f"built for version" in str(error), error
        two.save(folder, {"version": "two"})
        assert len([p for p in folder.iterdir() if p.name != ".lock"]) == 2, list(folder.iterdir())
"""


def test_a_save_that_is_killed_at_any_call_has_happened_or_has_not(tmp_path: Path) -> None:
    assert python(KILLED_AT_A_CALL, tmp_path / "index").splitlines() == [
        "fsync 1 before one",
        "fsync 1 after one",
        "replace 1 before one",
        "replace 1 after one",
        "fsync 2 before one",
        "fsync 2 after one",
        "replace 2 before one",
        "replace 2 after two",
        "fsync 3 before two",
        "fsync 3 after two",
        "unlink 1 before two",
        "unlink 1 after two",
    ]


SAVING_FOR_EVER = """
import sys
from itertools import cycle
from pathlib import Path
import numpy as np
from kb.index import Index, IndexSettings, Kind

settings = IndexSettings(kind=Kind.CELLS)
made = [Index(np.random.default_rng(n).standard_normal((1500, 32)).astype("f4"), settings) for n in (1, 2)]
print("ready", flush=True)
for number in cycle((0, 1)):
    made[number].save(Path(sys.argv[1]), {"encoder": "e"})
"""


def test_two_that_save_at_once_and_are_killed_leave_a_whole_snapshot(tmp_path: Path) -> None:
    folder, dice = tmp_path / "index", np.random.default_rng(7)
    Index(rows(1), SETTINGS).save(folder, {"encoder": "e"})
    queries = rows(9, 3)
    whole = [Index(rows(seed), SETTINGS).nearest(queries, 5).rows.tolist() for seed in (1, 2)]
    for _ in range(3):
        command = [sys.executable, "-c", SAVING_FOR_EVER, str(folder)]
        # Two that share all cores between their threads wait for each other most of the time.
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        pair = [subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        for process in pair:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        # A reader beside them sees one or the other, never a mixture.
        for _ in range(20):
            assert load_index(folder, {"encoder": "e"}, SETTINGS).nearest(queries, 5).rows.tolist() in whole
        threading.Event().wait(float(dice.uniform(0, 0.05)))
        for process in pair:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        assert load_index(folder, {"encoder": "e"}, SETTINGS).nearest(queries, 5).rows.tolist() in whole
    Index(rows(1), SETTINGS).save(folder, {"encoder": "e"})
    assert names(folder) == {MANIFEST, content(folder).name}


def python(script: str, folder: Path) -> str:
    command = [sys.executable, "-c", script, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
