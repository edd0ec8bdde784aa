"""Where bundles live: the one that is shipped, and those of a desk by name and version."""

from pathlib import Path

from models.bundle import MANIFEST
from models.errors import BundleError

STARTER_NAME = "starter"
STARTER = Path(__file__).parent / STARTER_NAME


def find_bundle(reference: str, folder: Path) -> Path:
    """The folder of a bundle named by a path, `starter`, `NAME@VERSION` or `NAME` (its newest version).

    Args:
        folder: where a desk keeps its bundles, as `NAME/VERSION/`.

    Raises:
        BundleError: when there is none, with the names that exist.
    """
    path = Path(reference).expanduser()
    if (path / MANIFEST).is_file():
        return path
    name, _, version = reference.partition("@")
    if name == STARTER_NAME and version in ("", "1"):
        return STARTER
    versions = sorted((int(p.name) for p in (folder / name).glob("*") if p.name.isdigit()), reverse=True)
    wanted = [v for v in versions if not version or str(v) == version]
    if not name or "/" in reference or not wanted:
        known = sorted(p.name for p in folder.glob("*") if p.is_dir())
        raise BundleError(
            f"No bundle {reference!r}: neither a folder with {MANIFEST} nor one of {', '.join([STARTER_NAME, *known])}."
        )
    return folder / name / str(wanted[0])
