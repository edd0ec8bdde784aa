"""Where bundles live: the one that is shipped, those of a desk by name and version, and which of them serves."""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from filelock import FileLock, Timeout

from models.bundle import MANIFEST, Bundle, read_manifest, save_bundle
from models.errors import BundleError, RegistryError
from models.files import replace_file, verified_record
from models.registry_state import STARTER_NAME as STARTER_NAME
from models.registry_state import Change, ChangeKind, RegistryState, TaskMode, dump, parse

STARTER = Path(__file__).parent / STARTER_NAME
STARTER_REFERENCE = f"{STARTER_NAME}@1"
LIVE = "live"
"""The reference of whatever has been promoted."""
STATE, LOCK = "registry.json", "registry.lock"
PATIENCE = 10.0
"""Seconds to wait for another process that changes the registry, which takes a few milliseconds."""


def find_bundle(reference: str, folder: Path) -> Path:
    """The folder of a bundle, as `Registry.find` finds it."""
    return Registry(folder).find(reference)


def check_name(name: str) -> None:
    """Refuse a name that a version could not be found under.

    Raises:
        BundleError: saying what a name may be.
    """
    if not _is_name(name):
        raise BundleError(f"A bundle cannot be named {name!r}: use letters, digits, . _ and -; it names a folder.")
    if name in (STARTER_NAME, LIVE, STATE, LOCK):
        raise BundleError(f"A bundle cannot be named {name!r}, which stands for something else. Choose another name.")


def _is_name(text: str) -> bool:
    # Not \w, which leaves out the vowel signs that Thai and decomposed Vietnamese are written with.
    return (
        bool(text) and text[0] != "." and all(sign in "._-" or unicodedata.category(sign)[0] in "LMN" for sign in text)
    )


class Registry:
    """The bundles of a desk, `NAME/VERSION/` in one folder, and `registry.json` beside them.

    Folders of versions never change. Every change of state replaces the one small file in one rename, under a lock that
    also holds between machines: a process that dies at any point leaves the state before or after it, never another.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: tuple[bytes | None, RegistryState] = None, RegistryState()

    def find(self, reference: str) -> Path:
        """The folder of a bundle named by a path, `live`, `starter`, `NAME@VERSION` or `NAME` (its newest version).

        Raises:
            BundleError: when there is none, with the names that exist.
            RegistryError: for `live`, when the state cannot be read.
        """
        path = Path(reference).expanduser()
        if (path / MANIFEST).is_file():
            return path
        if reference == LIVE:
            return self.find(self.state().live)
        if reference in (STARTER_NAME, STARTER_REFERENCE):
            return STARTER
        name, _, version = reference.partition("@")
        wanted = [v for v in self._numbers(name) if not version or str(v) == version] if _is_name(name) else []
        if not wanted:
            known = ", ".join([STARTER_NAME, *self._names()])
            raise BundleError(f"No bundle {reference!r}: neither a folder with {MANIFEST} nor one of {known}.")
        return self.folder / name / str(max(wanted))

    def resolve(self, reference: str) -> str:
        """The full reference of a version of the registry that is whole and of a format that this program reads.

        Raises:
            BundleError, DamagedFile: it is none.
        """
        name, _, _ = reference.partition("@")
        folder = self.find(reference)
        if folder != STARTER and folder.parent != self.folder / name:
            raise BundleError(
                f"{reference} is no version of this desk's registry; those are {', '.join(self.versions())}. "
                "`frontdesk train` without --output adds one."
            )
        read_manifest(folder)
        verified_record(folder, "Restore the bundle from its backup or train it again.")
        # The shipped bundle is named without a version, because the next release may bring another.
        return STARTER_NAME if folder == STARTER else f"{name}@{folder.name}"

    def versions(self) -> list[str]:
        """The references of all that could be promoted: the shipped bundle, then each name's versions, oldest first."""
        return [STARTER_REFERENCE, *(f"{name}@{v}" for name in self._names() for v in sorted(self._numbers(name)))]

    def add(self, bundle: Bundle) -> Bundle:
        """Save a bundle as the next version of its name, and give it back with that version.

        Two trainings at once get two versions: a number is taken by making a folder, which only one process can.
        """
        check_name(bundle.name)
        home = self.folder / bundle.name
        home.mkdir(parents=True, exist_ok=True)
        for version in count(max(self._numbers(bundle.name), default=0) + 1):
            target, taken = home / str(version), home / f".{version}.taken"
            try:
                taken.mkdir()
            except FileExistsError:
                continue
            try:
                if not target.exists():
                    numbered = replace(bundle, version=version)
                    save_bundle(numbered, target)
                    return numbered
            finally:
                taken.rmdir()
        raise AssertionError("numbers do not end")

    def state(self) -> RegistryState:
        """What is promoted now, with its history; the shipped bundle where nothing was.

        Raises:
            RegistryError: when the file cannot be read.
        """
        path = self.folder / STATE
        # It is read whole and not looked at first: a shared file system may answer for a file's date from its cache.
        try:
            content = path.read_bytes()
            if content != self._read[0]:
                self._read = content, parse(content)
            return self._read[1]
        except FileNotFoundError:
            return RegistryState()
        except OSError as error:
            raise RegistryError(f"{path} cannot be read ({error.strerror}). Mend that, and run this again.") from error
        except RegistryError as error:
            raise RegistryError(
                f"{path} says which bundle serves, and {error}. Restore it from a backup; or move it away, and "
                f"{STARTER_NAME} serves until `frontdesk models promote` names another. Bundles are not affected."
            ) from error

    def promote(
        self, reference: str, *, who: str, reason: str = "", forced: bool = False, instead_of: str | None = None
    ) -> RegistryState:
        """Make a version the live one; where it is already, nothing changes.

        Args:
            who: for the history, as `reason` and `forced` are.
            instead_of: the live version that this one was judged against; by default whichever is live.

        Raises:
            BundleError, DamagedFile: it is no whole version of the registry.
            RegistryError: another version has become live meanwhile, or the state cannot be read or written.
        """
        wanted = self.resolve(reference)
        with self._changing() as state:
            if instead_of is not None and state.live != instead_of:
                raise RegistryError(
                    f"{state.live} has become live instead of {instead_of} meanwhile, and {wanted} was not compared "
                    "with it. Run this again."
                )
            if state.live == wanted:
                return state
            return self._write(state, ChangeKind.PROMOTED, state.live, wanted, who, reason, forced=forced)

    def rollback(self, *, who: str, reason: str = "") -> RegistryState:
        """Make live what was so before the last promotion that is not rolled back yet.

        Raises:
            BundleError, DamagedFile: that version is not whole any more.
            RegistryError: there is none, or the state cannot be read or written.
        """
        with self._changing() as state:
            if not state.earlier:
                raise RegistryError(f"{state.live} is live and nothing was before it, so there is no way back.")
            wanted = self.resolve(state.earlier[-1])
            return self._write(state, ChangeKind.ROLLED_BACK, state.live, wanted, who, reason)

    def set_shadow(self, reference: str | None, *, who: str, reason: str = "") -> RegistryState:
        """Have a version run beside the live one, or none.

        Raises:
            BundleError, DamagedFile: it is no whole version of the registry.
            RegistryError: it is the live one, or the state cannot be read or written.
        """
        wanted = None if reference is None else self.resolve(reference)
        with self._changing() as state:
            if wanted == state.live:
                raise RegistryError(f"{wanted} is live; a shadow is another version beside it.")
            if wanted == state.shadow:
                return state
            return self._write(state, ChangeKind.SHADOW, state.shadow or "", wanted or "", who, reason)

    def set_mode(self, task: str, mode: TaskMode, *, who: str, reason: str = "") -> RegistryState:
        """Say what the labels of a task may do from now on, whichever bundle is live.

        Raises:
            RegistryError: the state cannot be read or written.
        """
        with self._changing() as state:
            if state.mode(task) is mode:
                return state
            return self._write(state, ChangeKind.MODE, state.mode(task), mode, who, reason, task=task)

    @contextmanager
    def _changing(self) -> Iterator[RegistryState]:
        """The state, which nobody else changes meanwhile."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / LOCK, timeout=PATIENCE):
                yield self.state()
        except Timeout as error:
            raise RegistryError(
                f"Another process has held {self.folder / LOCK} for {PATIENCE:.0f} s. Wait for it, or end it, "
                "and run this again."
            ) from error
        except OSError as error:
            raise RegistryError(
                f"{self.folder / STATE} cannot be written ({error.strerror}), and stays as it was. "
                "Make room or mend its rights, and run this again."
            ) from error

    def _write(
        self,
        state: RegistryState,
        kind: ChangeKind,
        before: str,
        after: str,
        who: str,
        reason: str,
        *,
        forced: bool = False,
        task: str = "",
    ) -> RegistryState:
        new = state.then(
            Change(kind, before, after, datetime.now(UTC).replace(microsecond=0), who, reason, forced, task)
        )
        replace_file(self.folder / STATE, dump(new))
        return new

    def _names(self) -> list[str]:
        return sorted(p.name for p in self.folder.glob("*") if p.is_dir() and _is_name(p.name))

    def _numbers(self, name: str) -> list[int]:
        return [int(p.name) for p in (self.folder / name).glob("*") if re.fullmatch(r"[1-9]\d*", p.name, re.ASCII)]
