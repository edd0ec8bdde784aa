"""Which articles say the same in several languages."""

from collections.abc import Mapping


def circles(translations: Mapping[str, str | None]) -> list[list[str]]:
    """The ids of each circle of translations, beginning and ending with the same; [] as it should be."""
    found: list[list[str]] = []
    done: set[str] = set()
    for start in translations:
        path: list[str] = []
        at: str | None = start
        while at is not None and at not in done and at not in path:
            path.append(at)
            at = translations.get(at)
        if at is not None and at in path:
            found.append([*path[path.index(at) :], at])
        done.update(path)
    return found


def originals(translations: Mapping[str, str | None]) -> dict[str, str]:
    """For each id the article that it renders in the end, through translations of translations; itself, if none."""
    found: dict[str, str] = {}
    for start in translations:
        path, at = [start], start
        while (above := translations.get(at)) is not None and above not in path:
            path.append(above)
            at = above
        found[start] = at
    return found
