"""frontdesk models: the versions of a desk, which of them serves, and what its tasks may do."""

import getpass
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from models.bundle import MANIFEST, load_bundle, read_manifest
from models.errors import ModelError
from models.registry import LIVE, Registry
from models.registry_state import Change, RegistryState, TaskMode
from serving import desk
from serving.cli.add_label import add_label
from serving.cli.agreement import agreement
from serving.cli.compare import compare
from serving.cli.evaluate import OosLabel, Tasks, Text
from serving.cli.gate import judged
from serving.cli.output import line, warn
from serving.cli.tickets import Group, Labelled
from serving.desk import open_registry
from serving.errors import BadSettings
from serving.settings import Settings, ensure_data_folder, read_settings
from training.columns import GROUP
from training.evaluate import OOS_LABEL

REFUSED = 3
"""The exit status of a promotion that the gate refuses."""
_FIGURES = ("accuracy", "macro_f1", "ece", "coverage", "precision_when_sure")
_LONG = 8

app = typer.Typer(help="Bundles: versions, which of them serves, and what tasks may do.", no_args_is_help=True)
app.command()(compare)
app.command()(agreement)
app.command()(add_label)
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Reason = Annotated[str, typer.Option(help="Why; the history keeps it.")]
Reference = Annotated[str, typer.Argument(help="NAME@VERSION, or NAME for its newest version.")]


@app.command("list")
def list_(json: Json = False) -> None:
    """Every version, with what is live and what runs in shadow."""
    registry = open_registry(read_settings())
    state = registry.state()
    for reference in registry.versions():
        about = _about(registry, reference, state)
        if json:
            typer.echo(line(about))
            continue
        mark = LIVE if about["live"] else "shadow" if about["shadow"] else ""
        tasks = [
            ", ".join([f"{task}: {figures['labels']} labels", *_percent(figures)])
            for task, figures in about["tasks"].items()
        ]
        typer.echo(f"{mark:7} {reference:24} {about['written'][:16]}  {about['problem'] or '; '.join(tasks)}")


@app.command()
def show(
    reference: Annotated[str, typer.Argument(help="NAME@VERSION, NAME, live or a folder.")] = LIVE, json: Json = False
) -> None:
    """What a bundle's manifest says; with --json all of it."""
    registry = open_registry(read_settings())
    folder = registry.find(reference)
    manifest = read_manifest(folder)
    if json:
        typer.echo(line(manifest))
        return
    head = {"bundle": f"{manifest['name']}@{manifest['version']}", "folder": str(folder), "written": _written(folder)}
    rest = {name: value for name, value in manifest.items() if name not in ("name", "version", "format", "features")}
    typer.echo(yaml.safe_dump({**head, **_short(rest)}, allow_unicode=True, sort_keys=False, width=110), nl=False)


@app.command()
def promote(
    reference: Reference,
    data: Annotated[
        list[Path] | None, typer.Option(help="Labelled tickets that neither bundle has seen; for each file.")
    ] = None,
    task: Tasks = None,
    text: Text = None,
    group: Group = GROUP,
    oos_label: OosLabel = OOS_LABEL,
    force: Annotated[bool, typer.Option("--force", help="Although the gate refuses; with --reason.")] = False,
    reason: Reason = "",
) -> None:
    """Make a version the live one, unless it is worse than what is live; exit status 3 if so."""
    if force and not reason.strip():
        raise BadSettings('--force needs --reason "…": the history keeps why the gate was overruled.')
    settings = read_settings()
    registry = _writable(settings)
    state, wanted = registry.state(), registry.resolve(reference)
    if wanted == state.live:
        typer.echo(f"{wanted} is live already")
        return
    encoder = desk.open_encoder(settings)
    # Before anything is compared: what cannot serve here is an error that nothing overrules.
    load_bundle(registry.find(wanted), encoder)
    labelled = Labelled(data, task or [], text, group, oos_label) if data else None
    reasons, notes = judged(registry, state.live, wanted, labelled, {settings.encoder: encoder})
    for note in notes:
        warn(f"note: {note}")
    if reasons:
        warn(f"{wanted} is worse than {state.live}:")
        for found in reasons:
            warn(f"  {found}")
    if reasons and not force:
        warn('Nothing has changed. Train again, or overrule this by --force --reason "…".')
        raise typer.Exit(REFUSED)
    registry.promote(wanted, who=_who(), reason=reason.strip(), forced=bool(reasons), instead_of=state.live)
    _now_live(settings, wanted, f"instead of {state.live}")


@app.command()
def rollback(reason: Reason = "") -> None:
    """Go back to what was live before the last promotion; again, to what was before that."""
    settings = read_settings()
    registry = _writable(settings)
    before = registry.state().live
    _now_live(settings, registry.rollback(who=_who(), reason=reason.strip()).live, f"again, instead of {before}")


@app.command()
def shadow(
    reference: Annotated[str | None, typer.Argument(help="NAME@VERSION, or NAME for its newest version.")] = None,
    off: Annotated[bool, typer.Option("--off", help="End it.")] = False,
    reason: Reason = "",
) -> None:
    """Have a version run beside the live one: what it says is recorded and never shown."""
    if (reference is None) != off:
        raise BadSettings("Give either a version or --off.")
    settings = read_settings()
    registry = _writable(settings)
    if reference is not None:
        load_bundle(registry.find(registry.resolve(reference)), desk.open_encoder(settings))
    state = registry.set_shadow(reference, who=_who(), reason=reason.strip())
    typer.echo(f"{state.shadow} runs in shadow of {state.live}" if state.shadow else "nothing runs in shadow")


@app.command()
def mode(
    task: Annotated[str | None, typer.Argument(help="The task; without one, the modes of all are shown.")] = None,
    mode: Annotated[TaskMode | None, typer.Argument(help="What its labels may do.")] = None,
    reason: Reason = "",
    json: Json = False,
) -> None:
    """Set what a task's labels may do: be written by the helpdesk, be shown, be recorded only, or not even that."""
    settings = read_settings()
    registry = _writable(settings)
    state = registry.state()
    tasks = sorted({*read_manifest(registry.find(settings.bundle))["tasks"], *state.modes})
    if task is None:
        modes = {name: state.mode(name).value for name in tasks}
        typer.echo(line(modes) if json else "\n".join(f"{name}: {value}" for name, value in modes.items()))
        return
    if task not in tasks:
        raise BadSettings(f"The bundle that serves has no task {task!r}; it has {', '.join(tasks)}.")
    if mode is None:
        raise BadSettings(f"Give a mode for {task}: {', '.join(TaskMode)}.")
    registry.set_mode(task, mode, who=_who(), reason=reason.strip())
    typer.echo(f"{task}: {mode}")


@app.command()
def history(json: Json = False) -> None:
    """Who promoted what, when and why; the latest last."""
    for change in open_registry(read_settings()).state().history:
        typer.echo(line(_change(change)) if json else _told(change))


def _writable(settings: Settings) -> Registry:
    ensure_data_folder(settings.data_dir)
    return open_registry(settings)


def _now_live(settings: Settings, reference: str, how: str) -> None:
    typer.echo(f"{reference} is live {how}")
    if settings.bundle != LIVE:
        warn(
            f"FRONTDESK_BUNDLE is {settings.bundle!r}, which is what serves wherever it is set. "
            "Unset it, and the live bundle serves."
        )


def _who() -> str:
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):  # a container's user need not have a name
        return socket.gethostname()


def _about(registry: Registry, reference: str, state: RegistryState) -> dict[str, Any]:
    folder = registry.find(reference)
    tasks, problem = {}, None
    try:
        manifest = read_manifest(folder)
        figures = manifest.get("metrics", {}).get("tasks", {})
        for task, about in manifest["tasks"].items():
            known = {name: value for name, value in figures.get(task, {}).items() if name in _FIGURES}
            tasks[task] = {"labels": len(about["labels"]), **known}
    except ModelError as error:
        problem = str(error)
    return {
        "reference": reference,
        "live": folder == registry.find(state.live),
        "shadow": state.shadow is not None and folder == registry.find(state.shadow),
        "written": _written(folder),
        "tasks": tasks,
        "problem": problem,
    }


def _written(folder: Path) -> str:
    """When it was saved, which its manifest leaves out so that the same training gives the same bytes."""
    path = folder / MANIFEST
    seconds = (path if path.is_file() else folder).stat().st_mtime
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _percent(figures: dict[str, Any]) -> list[str]:
    return [f"accuracy {figures['accuracy']:.1%}"] if "accuracy" in figures else []


def _short(value: Any) -> Any:
    """Long lists by their length and beginning."""
    if isinstance(value, dict):
        return {name: _short(entry) for name, entry in value.items()}
    if isinstance(value, list) and len(value) > _LONG:
        return f"{len(value)}: {', '.join(map(str, value[:_LONG]))}, …"
    return value


def _change(change: Change) -> dict[str, Any]:
    told = {"at": change.at.isoformat(), "who": change.who, "kind": change.kind.value, "task": change.task}
    return {**told, "before": change.before, "after": change.after, "reason": change.reason, "forced": change.forced}


def _told(change: Change) -> str:
    what = f"{change.kind.value.replace('_', ' ')} {change.task}".strip() + (" by force" if change.forced else "")
    why = f": {change.reason}" if change.reason else ""
    moved = f"{change.before or 'none'} -> {change.after or 'none'}"
    return f"{change.at:%Y-%m-%d %H:%M} {change.who} {what}, {moved}{why}"
