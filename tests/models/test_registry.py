"""Bundles by path, name and version."""

from pathlib import Path

import pytest

from models.bundle import MANIFEST, read_manifest
from models.errors import BundleError
from models.registry import STARTER, find_bundle


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """The bundles of a desk: two names, three versions of one, and what a killed training left behind."""
    folder = tmp_path / "bundles"
    for place in ("quầy-hỗ-trợ/1", "quầy-hỗ-trợ/2", "quầy-hỗ-trợ/10", "quầy-hỗ-trợ/.11.abc/11", "客服/1"):
        (folder / place).mkdir(parents=True)
        (folder / place / MANIFEST).touch()
    return folder


def test_a_name_finds_its_newest_version(desk: Path) -> None:
    assert find_bundle("quầy-hỗ-trợ", desk) == desk / "quầy-hỗ-trợ" / "10"
    assert find_bundle("客服", desk) == desk / "客服" / "1"


def test_a_version_can_be_named(desk: Path) -> None:
    assert find_bundle("quầy-hỗ-trợ@2", desk) == desk / "quầy-hỗ-trợ" / "2"


def test_a_folder_is_taken_as_it_is(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_bundle(str(desk / "客服" / "1"), desk / "elsewhere") == desk / "客服" / "1"
    monkeypatch.chdir(desk)
    assert find_bundle("客服/1", desk / "elsewhere") == Path("客服/1")


def test_the_starter_is_always_there(tmp_path: Path) -> None:
    for reference in ("starter", "starter@1"):
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
