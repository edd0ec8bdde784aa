"""frontdesk kb: import, search, list and delete articles and macros, and find out which are missing."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from kb.importers import read as read_articles
from kb.search import Hit
from kb.store import KnowledgeStore
from kb.types import Article, Audience
from serving.cli import candidates
from serving.cli.messages import text_problem
from serving.cli.output import line, progress, warn
from serving.desk import open_desk, open_desk_database
from serving.errors import BadSettings
from serving.keeper import Snapshot
from serving.services.gaps import Gap, knowledge_gaps
from serving.services.knowledge import import_knowledge, rebuild_knowledge
from serving.services.reading import ask
from serving.settings import read_settings
from triage.pipeline import Message

app = typer.Typer(help="The knowledge base: articles and macros.", no_args_is_help=True)
app.command()(candidates.mine)
app.add_typer(candidates.app, name="candidates")


@app.command("import")
def import_(
    paths: Annotated[
        list[Path],
        typer.Argument(help="Folders, archives (.zip) or files: .md, .html, .csv, .jsonl, .json, .yaml, .txt."),
    ],
    language: Annotated[str | None, typer.Option(help="Of articles and macros that do not say theirs.")] = None,
    keep_going: Annotated[bool, typer.Option("--keep-going", help="Import what is good, and list the rest.")] = False,
) -> None:
    """Add or update articles and macros; if one of them is bad, nothing is imported."""
    found = read_articles(paths, language=language, keep_going=keep_going)
    with progress() as bar:
        report = import_knowledge(read_settings(), found, partial(_encoding, bar))
    for name, counts in (("articles", report.articles), ("macros", report.macros)):
        typer.echo(f"{name}: {counts.added} added, {counts.changed} changed, {counts.unchanged} unchanged")
    typer.echo(f"knowledge base {report.version}")
    if found.problems:
        for problem in found.problems:
            warn(problem)
        raise typer.Exit(1)


@app.command()
def search(
    query: Annotated[str | None, typer.Argument(help="What to look for.")] = None,
    input_: Annotated[Path | None, typer.Option("--input", help="A file with one query a line.")] = None,
    top_k: Annotated[int, typer.Option(min=1, max=100, help="Articles a query.")] = 5,
    internal: Annotated[bool, typer.Option("--internal", help="Find internal articles too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a query.")] = False,
) -> None:
    """Find articles, whatever the language of the query."""
    if (query is None) == (input_ is None):
        raise BadSettings("Give either a QUERY or --input FILE.")
    queries = [query] if query is not None else _queries(input_)
    for number, text in enumerate(queries, 1):
        if problem := text_problem(text):
            raise BadSettings(f"Query {number} cannot be searched for: {problem}.")
    now = open_desk(read_settings()).current()
    audience = Audience.INTERNAL if internal else Audience.PUBLIC
    for start in range(0, len(queries), 512):
        chunk = queries[start : start + 512]
        for text, hits in zip(chunk, _search(now, chunk, top_k, audience), strict=True):
            if json:
                typer.echo(line({"query": text, "hits": [_hit(hit) for hit in hits]}))
            else:
                _show(text, hits, titled=len(queries) > 1)


@app.command()
def rebuild() -> None:
    """Encode and index everything again, from the database alone."""
    with progress() as bar:
        made = rebuild_knowledge(read_settings(), partial(_encoding, bar))
    typer.echo(f"knowledge base {made.version}: {len(made.articles)} articles, {len(made.passages)} passages")
    typer.echo(f"index {made.digest}")


@app.command("list")
def list_(json: Annotated[bool, typer.Option("--json", help="One JSON object an article or macro.")] = False) -> None:
    """Every article and macro of the desk."""
    with open_desk_database(read_settings()).transaction(read_only=True) as session:
        store = KnowledgeStore(session)
        items: list[Any] = [*store.articles(), *store.macros()]
    for item in items:
        state = _state(item) if isinstance(item, Article) else {}
        about = {"id": item.id, "language": item.language, "title": item.title, **state}
        marks = ", ".join(_mark(key, value) for key, value in state.items())
        shown = f"{item.id:44} {item.language:8} {item.title}"
        typer.echo(line(about) if json else f"{shown}  ({marks})" if marks else shown)


@app.command()
def delete(ids: Annotated[list[str], typer.Argument(help="Ids of articles and macros.")]) -> None:
    """Delete articles and macros."""
    with open_desk_database(read_settings()).transaction() as session:
        gone = KnowledgeStore(session).delete(ids)
    typer.echo(f"deleted: {', '.join(gone) or 'nothing'}")
    if missing := [identity for identity in ids if identity not in gone]:
        warn(f"not there: {', '.join(missing)}. `frontdesk kb list` shows what is.")
        raise typer.Exit(1)


@app.command()
def gaps(
    days: Annotated[int, typer.Option(min=1, max=3650, help="Questions of so many days.")] = 30,
    top: Annotated[int, typer.Option(min=1, max=1000, help="Clusters to show, the largest first.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """What customers ask and no article solves: questions that ask for the same, of any language, in one cluster."""
    desk = open_desk(read_settings())
    with progress() as bar:
        job = bar.add_task("questions", total=None)
        found = knowledge_gaps(
            desk, days=days, top=top, advance=lambda done, total: bar.update(job, completed=done, total=total)
        )
    if json:
        typer.echo(line(found.as_json()))
        return
    typer.echo(f"{found.questions:,} open questions of the last {days:,} days in {found.clusters:,} clusters")
    if found.expired:
        typer.echo(f"{found.expired:,} more are left out: their texts are not kept any more (FRONTDESK_TEXT_DAYS)")
    if found.older:
        typer.echo(f"{found.older:,} older ones are left out; ask for fewer days to see all of a shorter time")
    for number, gap in enumerate(found.gaps, 1):
        _show_gap(number, gap)


def _show_gap(number: int, gap: Gap) -> None:
    languages = ", ".join(f"{language} {count:,}" for language, count in gap.languages.items())
    counts = f"{gap.count:,} questions, {gap.unanswered:,} unanswered, {gap.unsolved:,} unsolved ({languages})"
    typer.echo(f"\n{number}. {gap.intent or 'no known intent'}: {counts}")
    for example in gap.examples:
        typer.echo(f"   {example.language:8} {example.text}")
    if (nearest := gap.nearest) is None:
        typer.echo("   nearest  none: the knowledge base is empty")
        return
    missing = f"; missing in {', '.join(nearest.missing_languages)}" if nearest.missing_languages else ""
    there = f"{nearest.score:.2f}, in {', '.join(nearest.languages)}{missing}"
    typer.echo(f"   nearest  {nearest.article_id} “{nearest.title}” ({there})")


def _encoding(bar: Progress, total: int) -> Callable[[int], object]:
    return partial(bar.advance, bar.add_task("encoding", total=total))


def _state(article: Article) -> dict[str, Any]:
    """What is not as with most articles."""
    found: dict[str, Any] = {}
    if article.audience is not Audience.PUBLIC:
        found["audience"] = article.audience
    if article.draft:
        found["draft"] = True
    for name in ("valid_from", "valid_until"):
        if day := getattr(article, name):
            found[name] = day.isoformat()
    return found | ({"version": article.version} if article.version > 1 else {})


def _mark(key: str, value: Any) -> str:
    if value is True:
        return key
    return str(value) if key == "audience" else f"{key} {value}"


def _queries(path: Path | None) -> list[str]:
    assert path is not None
    try:
        with path.open(encoding="utf-8-sig") as file:
            return [row.rstrip("\n") for row in file]
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"{path} cannot be read: {error}.") from error


def _search(now: Snapshot, queries: Sequence[str], top_k: int, audience: Audience) -> list[list[Hit]]:
    _, questions = ask(now.pipeline, [Message(query) for query in queries])
    return now.knowledge.search(questions, top_k, audience=audience)


def _hit(hit: Hit) -> dict[str, Any]:
    passage = hit.passage
    return {
        "article_id": passage.article_id,
        "passage": passage.text,
        "language": passage.language,
        "score": hit.score,
    }


def _show(query: str, hits: Sequence[Hit], *, titled: bool) -> None:
    if titled:
        typer.echo(f"\n# {query}")
    if not hits:
        typer.echo("nothing found")
    for hit in hits:
        passage = hit.passage
        typer.echo(f"{hit.score:.2f}  {passage.language:8} {passage.article_id:36} {passage.title}")
