"""frontdesk models agreement: what a shadow would have said instead of the live bundle."""

from typing import Annotated

import typer

from serving.cli.moments import parse_moment
from serving.cli.output import line
from serving.desk import open_desk_database
from serving.errors import BadSettings
from serving.settings import read_settings

_PAIRS = 10


def agreement(
    bundle: Annotated[str | None, typer.Argument(help="NAME@VERSION; by default the shadow that spoke last.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Only decisions made since then, as 2026-03-01.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object, with all pairs of labels.")] = False,
) -> None:
    """Compare a shadow with the live bundle on live messages: agreement, abstention, differences, corrections."""
    # Here and not above: its statistics take longer to import than any other command to start.
    from serving.services.agreement import agreement as agreement_of

    found = agreement_of(open_desk_database(read_settings()), bundle, since=parse_moment(since))
    if found is None:
        which = f"{bundle} has read no live message" if bundle else "no shadow has read a live message"
        when = f" since {since}" if since else ""
        raise BadSettings(
            f"{which}{when}. `frontdesk models shadow NAME@VERSION` starts one, and `frontdesk serve` feeds it."
        )
    if json:
        typer.echo(line(found.as_json()))
        return
    beside = ", ".join(f"{live} ({count:,})" for live, count in found.live.items())
    typer.echo(f"{found.bundle} on {found.recorded:,} of {found.decisions:,} decisions, beside {beside}")
    for name, task in found.tasks.items():
        low, high = task.agreed.interval
        typer.echo(
            f"\n{name}: the same label {task.agreed.value:.1%} ({low:.1%} to {high:.1%}) of {task.agreed.rows:,}; "
            f"abstains {task.abstained.value:.1%}, live {task.live_abstained.value:.1%}"
        )
        for language, share in task.languages.items():
            low, high = share.interval
            typer.echo(f"  {language:8} {share.value:6.1%} ({low:.1%} to {high:.1%}) of {share.rows:,}")
        for pair in task.differences[:_PAIRS]:
            typer.echo(f"  {pair.rows:,} × {pair.live_label} → {pair.label}, such as {', '.join(pair.decisions)}")
        if (left := len(task.differences) - _PAIRS) > 0:
            typer.echo(f"  and {left:,} more pairs; --json has them all")
        if (by_agents := task.corrected) is not None:
            typer.echo(
                f"  agents gave {by_agents.rows:,} labels: the shadow had {by_agents.right:,} of them, live "
                f"{by_agents.live_right:,}, both {by_agents.both_right:,} (agents mostly correct what live got wrong)"
            )
