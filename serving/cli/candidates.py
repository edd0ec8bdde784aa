"""frontdesk kb mine and frontdesk kb candidates: replies from past conversations, and a person's word on each."""

from pathlib import Path
from typing import Annotated

import typer

from kb.conversations import read_conversations
from kb.mining import MIN_COUNT
from serving.cli.output import line, progress, warn
from serving.desk import open_desk, open_desk_database
from serving.errors import BadSettings
from serving.results import candidate_result
from serving.services.mining import mine_replies
from serving.services.review import Review, list_candidates, review_candidate
from serving.settings import read_settings
from serving.storage.candidates import CandidateRecord
from serving.storage.tables import ReviewStatus
from triage import taxonomy
from triage.taxonomy import load_taxonomy

app = typer.Typer(help="Replies from past conversations that wait for a person's approval.", no_args_is_help=True)

_By = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who decided.")]
_Id = Annotated[str, typer.Argument(metavar="ID", help="As `kb candidates list` shows it.")]


def mine(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE", help="Conversations, one a line: .jsonl or .jsonl.gz.")
    ] = None,
    feedback: Annotated[
        bool, typer.Option("--feedback", help="Take what agents sent through Frontdesk after editing it.")
    ] = False,
    min_count: Annotated[
        int, typer.Option(min=1, help="Conversations in which a reply was given, before it is a candidate.")
    ] = MIN_COUNT,
    keep_going: Annotated[bool, typer.Option("--keep-going", help="Read what is good, and list the rest.")] = False,
) -> None:
    """Find replies that agents gave more than once. No agent is shown one before `kb candidates approve`."""
    if not paths and not feedback:
        raise BadSettings("Name files of conversations, or give --feedback.")
    found = read_conversations(paths or [], keep_going=keep_going)
    desk = open_desk(read_settings())
    with progress() as bar:
        task = bar.add_task("reading", total=None)
        report = mine_replies(
            desk,
            found.conversations,
            feedback=feedback,
            min_count=min_count,
            advance=lambda texts: bar.advance(task, texts),
        )
    typer.echo(f"candidates: {report.candidates:,} new, from {report.exchanges:,} requests with an answer")
    typer.echo(
        f"replies: {report.known:,} known, {report.joined:,} join a candidate, {report.said_by_macros:,} say what a "
        f"macro says, {report.too_rare:,} given too seldom, {report.personal:,} left out for what they say of a person"
    )
    if found.problems:
        for problem in found.problems:
            warn(problem)
        raise typer.Exit(1)


@app.command("list")
def list_(
    status: Annotated[ReviewStatus | None, typer.Option(help="Only these; all by default.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a candidate.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="The most frequent ones, up to so many.")] = 1000,
) -> None:
    """Candidates, those with most replies behind them first."""
    page = list_candidates(open_desk_database(read_settings()), status, limit=limit)
    for one in page.candidates:
        typer.echo(line(candidate_result(one)) if json else _shown(one))
    if len(page.candidates) < page.total:
        warn(f"{page.total - len(page.candidates):,} more; --limit shows them")


@app.command()
def approve(
    candidate_id: _Id,
    text: Annotated[str | None, typer.Option(help="Another text.")] = None,
    title: Annotated[str | None, typer.Option(help="Another title.")] = None,
    intent: Annotated[list[str] | None, typer.Option(help="What it replies to, instead of what was mined.")] = None,
    by: _By = None,
) -> None:
    """Make a macro of a candidate; from then on it is suggested."""
    decided = Review(status=ReviewStatus.APPROVED, text=text, title=title, intents=intent, reviewer=by)
    typer.echo(f"approved: {candidate_result(_review(candidate_id, decided))['macro_id']}")


@app.command()
def reject(
    candidate_id: _Id,
    reason: Annotated[str, typer.Option(help="Such as outdated, wrong, or too personal.")],
    by: _By = None,
) -> None:
    """Turn a candidate down for good; one that was approved is no macro any more."""
    decided = Review(status=ReviewStatus.REJECTED, reason=reason, reviewer=by)
    typer.echo(f"rejected: {_review(candidate_id, decided).id}")


def _review(candidate_id: str, decided: Review) -> CandidateRecord:
    settings = read_settings()
    labels = load_taxonomy(settings.taxonomy or taxonomy.STARTER)
    return review_candidate(open_desk_database(settings), labels, candidate_id, decided)


def _shown(one: CandidateRecord) -> str:
    shares = ", ".join(f"{intent} {share:.0%}" for intent, share in one.intent_shares.items())
    head = f"{one.id}  {one.status:8}  {one.language:8}  {one.count:,} replies  {shares}"
    indented = "\n".join(f"    {part}" for part in one.text.split("\n"))
    asked = "".join(f"\n  > {' '.join(request.split())}" for request in one.examples)
    return f"{head}\n{indented}{asked}\n"
