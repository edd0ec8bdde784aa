"""Bundles by path, name and version; what is promoted, rolled back or run in shadow, whatever dies meanwhile."""

import json
import subprocess
import sys
import threading
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from models.bundle import MANIFEST, Bundle, read_manifest
from models.errors import BundleError, DamagedFile, ModelError, RegistryError
from models.registry import LOCK, STARTER, STATE, Registry, find_bundle
from models.registry_state import ChangeKind, RegistryState, TaskMode
from tests.conftest import ROOT
from tests.trouble import largest_file

NAMES = ("quầy-hỗ-trợ", "โต๊ะบริการ", "客服台", "客服檯", "поддержка", "helpdesk")
WHO = "Мария"


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """The bundles of a desk: two names, three versions of one, and what a killed training left behind."""
    folder = tmp_path / "bundles"
    for place in ("quầy-hỗ-trợ/1", "quầy-hỗ-trợ/2", "quầy-hỗ-trợ/10", "quầy-hỗ-trợ/.11.abc/11", "客服/1"):
        (folder / place).mkdir(parents=True)
        (folder / place / MANIFEST).touch()
    return folder


@pytest.fixture
def registry(light_bundle: Bundle, tmp_path: Path) -> Registry:
    """helpdesk@1 and helpdesk@2, whole ones."""
    registry = Registry(tmp_path / "bundles")
    for _ in range(2):
        registry.add(replace(light_bundle, name="helpdesk"))
    return registry


def test_a_name_finds_its_newest_version(desk: Path) -> None:
    assert find_bundle("quầy-hỗ-trợ", desk) == desk / "quầy-hỗ-trợ" / "10"
    assert find_bundle("客服", desk) == desk / "客服" / "1"


def test_a_version_can_be_named(desk: Path) -> None:
    assert find_bundle("quầy-hỗ-trợ@2", desk) == desk / "quầy-hỗ-trợ" / "2"


def test_versions_are_listed_in_the_order_of_their_numbers(desk: Path) -> None:
    assert Registry(desk).versions() == [
        "starter@1",
        *("quầy-hỗ-trợ@1", "quầy-hỗ-trợ@2", "quầy-hỗ-trợ@10"),
        "客服@1",
    ]


def test_a_folder_is_taken_as_it_is(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_bundle(str(desk / "客服" / "1"), desk / "elsewhere") == desk / "客服" / "1"
    monkeypatch.chdir(desk)
    assert find_bundle("客服/1", desk / "elsewhere") == Path("客服/1")


def test_the_starter_is_always_there_and_live_where_nothing_else_is(tmp_path: Path) -> None:
    for reference in ("starter", "starter@1", "live"):
        assert find_bundle(reference, tmp_path / "none yet") == STARTER
    assert (STARTER / MANIFEST).is_file()
    manifest = read_manifest(STARTER)
    assert (manifest["name"], manifest["version"]) == ("starter", 1)


@pytest.mark.parametrize(
    "reference",
    [
        "",
        "@",
        "@1",
        "нет",
        "quầy-hỗ-trợ@3",
        "starter@2",
        "quầy-hỗ-trợ/3",
        "..",
        "../bundles/客服",
        "*",
        "a\0b",
    ],
)
def test_what_does_not_exist_is_answered_with_what_does(desk: Path, reference: str) -> None:
    with pytest.raises(BundleError) as refused:
        find_bundle(reference, desk)
    assert "starter, quầy-hỗ-trợ, 客服" in str(refused.value)
    assert repr(reference) in str(refused.value)


@pytest.mark.parametrize("name", NAMES)
def test_a_bundle_is_added_as_the_next_version_and_promoted(light_bundle: Bundle, tmp_path: Path, name: str) -> None:
    registry = Registry(tmp_path / "bundles")
    for version in (1, 2):
        added = registry.add(replace(light_bundle, name=name))
        assert added.reference == f"{name}@{version}"
        assert read_manifest(registry.find(name))["version"] == version
    state = registry.promote(name, who=WHO)
    assert (state.live, registry.find("live")) == (f"{name}@2", tmp_path / "bundles" / name / "2")
    assert sorted(p.name for p in (tmp_path / "bundles" / name).iterdir()) == ["1", "2"]


def test_trainings_that_end_at_once_get_a_version_each(light_bundle: Bundle, tmp_path: Path) -> None:
    bundle, added = replace(light_bundle, name="客服台"), []
    threads = [
        threading.Thread(target=lambda: added.append(Registry(tmp_path / "bundles").add(bundle).version))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(added) == [1, 2, 3, 4, 5, 6]
    registry = Registry(tmp_path / "bundles")
    assert [read_manifest(registry.find(f"客服台@{v}"))["version"] for v in added] == added


@pytest.mark.parametrize("name", ["live", "starter", "registry.json", "a/b", "..", "", "shop@2", ".ẩn"])
def test_a_name_that_could_not_be_found_again_is_refused(light_bundle: Bundle, tmp_path: Path, name: str) -> None:
    with pytest.raises(BundleError, match="cannot be named"):
        Registry(tmp_path / "bundles").add(replace(light_bundle, name=name))
    assert not (tmp_path / "bundles").exists()


def test_a_rollback_leads_back_step_by_step(registry: Registry) -> None:
    for reference in ("helpdesk@1", "helpdesk@2", "starter"):
        assert registry.promote(reference, who=WHO).live == reference
    assert [registry.rollback(who=WHO, reason="точность упала").live for _ in range(3)] == [
        "helpdesk@2",
        "helpdesk@1",
        "starter",
    ]
    with pytest.raises(RegistryError, match="no way back"):
        registry.rollback(who=WHO)
    registry.promote("helpdesk@2", who=WHO)
    assert registry.rollback(who=WHO).live == "starter"


def test_the_history_says_who_did_what_when_and_why(registry: Registry) -> None:
    registry.promote("helpdesk", who="Lan", reason="bản huấn luyện tháng này")
    registry.promote("helpdesk@1", who="สมชาย", reason="จำเป็นต้องใช้ก่อน", forced=True)
    registry.set_mode("intent", TaskMode.AUTOFILL, who="小陈", reason="准确率够高")
    registry.set_shadow("helpdesk@2", who="小陳")
    registry.set_shadow(None, who="小陳", reason="看完了")
    registry.rollback(who=WHO, reason="жалобы операторов")
    history = Registry(registry.folder).state().history
    assert [(c.kind, c.task, c.before, c.after, c.who, c.reason, c.forced) for c in history] == [
        (ChangeKind.PROMOTED, "", "starter", "helpdesk@2", "Lan", "bản huấn luyện tháng này", False),
        (ChangeKind.PROMOTED, "", "helpdesk@2", "helpdesk@1", "สมชาย", "จำเป็นต้องใช้ก่อน", True),
        (ChangeKind.MODE, "intent", "recommend", "autofill", "小陈", "准确率够高", False),
        (ChangeKind.SHADOW, "", "", "helpdesk@2", "小陳", "", False),
        (ChangeKind.SHADOW, "", "helpdesk@2", "", "小陳", "看完了", False),
        (ChangeKind.ROLLED_BACK, "", "helpdesk@1", "helpdesk@2", WHO, "жалобы операторов", False),
    ]
    assert [c.at for c in history] == sorted(c.at for c in history)


def test_what_is_so_already_changes_nothing(registry: Registry) -> None:
    registry.promote("helpdesk@1", who=WHO)
    registry.set_shadow("helpdesk@2", who=WHO)
    state = registry.set_mode("urgency", TaskMode.OFF, who=WHO)
    assert registry.promote("helpdesk@1", who=WHO) == state
    assert registry.set_shadow("helpdesk@2", who=WHO) == state
    assert registry.set_mode("urgency", TaskMode.OFF, who=WHO) == state
    assert registry.set_mode("intent", TaskMode.RECOMMEND, who=WHO) == state


def test_a_shadow_that_is_promoted_is_none_any_more(registry: Registry) -> None:
    assert registry.set_shadow("helpdesk@2", who=WHO).shadow == "helpdesk@2"
    state = registry.promote("helpdesk@2", who=WHO)
    assert (state.live, state.shadow) == ("helpdesk@2", None)
    with pytest.raises(RegistryError, match="helpdesk@2 is live"):
        registry.set_shadow("helpdesk", who=WHO)


def test_a_promotion_that_was_judged_against_another_bundle_is_refused(registry: Registry) -> None:
    registry.promote("helpdesk@1", who="Lan")
    with pytest.raises(RegistryError, match="helpdesk@1 has become live instead of starter"):
        registry.promote("helpdesk@2", who="สมชาย", instead_of="starter")
    assert registry.state().live == "helpdesk@1"
    assert registry.promote("helpdesk@2", who="สมชาย", instead_of="helpdesk@1").live == "helpdesk@2"


def _cut(folder: Path) -> None:
    weights = folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])


def _newer(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    (folder / MANIFEST).write_text(json.dumps({**manifest, "format": 99}), encoding="utf-8")


@pytest.mark.parametrize(
    ("harm", "error", "said"),
    [
        (_cut, DamagedFile, "Restore the bundle"),
        (_newer, BundleError, "format 99"),
        (lambda folder: (folder / MANIFEST).unlink(), BundleError, "No bundle at"),
        (lambda folder: (folder / "integrity.json").unlink(), DamagedFile, "integrity.json"),
    ],
    ids=["cut", "newer", "no-manifest", "no-record"],
)
def test_a_bundle_that_cannot_serve_is_not_promoted(registry: Registry, harm: Any, error: Any, said: str) -> None:
    before = registry.promote("helpdesk@1", who=WHO)
    harm(registry.find("helpdesk@2"))
    for change in (registry.promote, registry.set_shadow):
        with pytest.raises(error, match=said):
            change("helpdesk@2", who=WHO)
    assert registry.state() == before


def test_a_rollback_to_a_damaged_bundle_is_refused(registry: Registry) -> None:
    registry.promote("helpdesk@1", who=WHO)
    before = registry.promote("helpdesk@2", who=WHO)
    _cut(registry.find("helpdesk@1"))
    with pytest.raises(DamagedFile):
        registry.rollback(who=WHO)
    assert registry.state() == before


@pytest.mark.parametrize("reference", ["helpdesk@3", "нет@1", ""])
def test_what_is_not_there_is_not_promoted(registry: Registry, reference: str) -> None:
    with pytest.raises(BundleError, match="No bundle"):
        registry.promote(reference, who=WHO)
    assert registry.state() == RegistryState()


def test_a_folder_from_elsewhere_is_not_promoted(registry: Registry, light_bundle_folder: Path) -> None:
    with pytest.raises(BundleError, match="no version of this desk's registry"):
        registry.promote(str(light_bundle_folder), who=WHO)
    assert registry.state() == RegistryState()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"format": 1}',
        b'{"format": 2, "history": []}',
        b'{"format": 1, "history": [{"kind": "promoted"}]}',
        b"\xff\xfe\x00",
        b'{"format": 1, "history": {"a": 1}}',
    ],
)
def test_a_damaged_state_is_said_with_its_remedy(registry: Registry, content: bytes) -> None:
    (registry.folder / STATE).write_bytes(content)
    for use in (
        registry.state,
        lambda: registry.find("live"),
        lambda: registry.promote("helpdesk@1", who=WHO),
        lambda: registry.rollback(who=WHO),
    ):
        with pytest.raises(RegistryError, match="Restore it from a backup"):
            use()
    assert (registry.folder / STATE).read_bytes() == content
    assert registry.find("helpdesk@1").is_dir()


def test_a_registry_that_another_process_holds_is_said(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.registry.PATIENCE", 0.1)
    script = (
        "import sys; from filelock import FileLock\nwith FileLock(sys.argv[1]): print(flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(registry.folder / LOCK)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(RegistryError, match="Another process has held"):
            registry.promote("helpdesk@1", who=WHO)
        assert registry.state() == RegistryState()
        holder.kill()
    assert registry.promote("helpdesk@1", who=WHO).live == "helpdesk@1"


DISK_FULL = """
import resource, sys
from pathlib import Path
from models.errors import RegistryError
from models.registry import Registry
registry = Registry(Path(sys.argv[1]))
size = (registry.folder / "registry.json").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
try:
    registry.promote("helpdesk@2", who="Lan")
except RegistryError as error:
    print(error)
"""


def test_a_disk_that_is_full_leaves_the_live_bundle(registry: Registry) -> None:
    before = registry.promote("helpdesk@1", who=WHO)
    done = _python(DISK_FULL, registry.folder)
    assert "cannot be written" in done
    assert "stays as it was" in done
    assert registry.state() == before
    assert sorted(p.name for p in registry.folder.iterdir()) == ["helpdesk", STATE, LOCK]
    assert registry.promote("helpdesk@2", who=WHO).live == "helpdesk@2"


@pytest.mark.parametrize("room", [0, 10_000, 100_000])
def test_a_disk_that_is_full_while_a_bundle_is_saved(registry: Registry, light_bundle: Bundle, room: int) -> None:
    before = registry.promote("helpdesk@1", who=WHO)
    with largest_file(room), pytest.raises(BundleError, match=r"File too large.*Make room"):
        registry.add(replace(light_bundle, name="helpdesk"))
    assert sorted(p.name for p in (registry.folder / "helpdesk").iterdir()) == ["1", "2"]
    assert registry.state() == before
    assert registry.add(replace(light_bundle, name="helpdesk")).reference == "helpdesk@3"


KILLED_AT_A_CALL = """
import os, signal, sys
from pathlib import Path
from models.registry import Registry
from tests.trouble import deadly

registry = Registry(Path(sys.argv[1]))
before = registry.promote("helpdesk@1", who="Lan")
for name, number in (("fsync", 1), ("replace", 1), ("fsync", 2)):
    for after in (False, True):
        child = os.fork()
        if not child:
            deadly(os, name, number, after=after)
            registry.promote("helpdesk@2", who="Lan")
            os._exit(0)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL, "this call was never made"
        state = registry.state()
        print(name, number, "after" if after else "before", state.live)
        registry.promote("helpdesk@1", who="Lan")
"""


def test_a_promotion_killed_at_any_call_is_whole_or_has_not_happened(registry: Registry) -> None:
    assert _python(KILLED_AT_A_CALL, registry.folder).splitlines() == [
        "fsync 1 before helpdesk@1",
        "fsync 1 after helpdesk@1",
        "replace 1 before helpdesk@1",
        "replace 1 after helpdesk@2",
        "fsync 2 before helpdesk@2",
        "fsync 2 after helpdesk@2",
    ]


KILLED_AT_RANDOM = """
import os, random, signal, sys, time
from itertools import cycle, pairwise
from pathlib import Path
from models.registry import Registry

registry, dice = Registry(Path(sys.argv[1])), random.Random(13)
revision = first = registry.promote("helpdesk@1", who="Lan").revision
rounds = 0
# A slow machine gets further rounds, until enough of them have changed something.
while (rounds := rounds + 1) <= 40 or (revision < first + 10 and rounds < 400):
    children = []
    for who in ("Lan", "สมชาย"):
        child = os.fork()
        if not child:
            for reference in cycle(("helpdesk@2", "helpdesk@1")):
                registry.promote(reference, who=who)
        children.append(child)
    time.sleep(dice.uniform(0, 0.05))
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    state = registry.state()
    assert state.live in ("helpdesk@1", "helpdesk@2") and state.revision >= revision
    assert all(one.after == two.before for one, two in pairwise(state.history))
    revision = state.revision
print(revision)
"""


def test_promoters_that_are_killed_at_random_lose_nothing(registry: Registry) -> None:
    revision = int(_python(KILLED_AT_RANDOM, registry.folder))
    assert revision > 10
    state = registry.promote("starter", who=WHO)
    assert (state.live, state.revision) == ("starter", revision + 1)


def test_promoters_at_once_take_turns(registry: Registry) -> None:
    failures: list[ModelError] = []

    def promote(reference: str) -> None:
        own = Registry(registry.folder)
        for _ in range(10):
            try:
                own.promote(reference, who=reference)
            except ModelError as error:
                failures.append(error)

    threads = [threading.Thread(target=promote, args=(f"helpdesk@{version}",)) for version in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = registry.state().history
    assert not failures
    assert {change.who for change in history} == {"helpdesk@1", "helpdesk@2"}
    assert all(one.after == two.before for one, two in pairwise(history))


def _python(script: str, folder: Path) -> str:
    command = [sys.executable, "-W", "error", "-c", script, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout
