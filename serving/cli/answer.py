"""frontdesk answer: a question to the desk's knowledge base, or to a folder of articles."""

from pathlib import Path
from typing import Annotated

import typer

from kb.importers import read as read_articles
from serving.cli.messages import checked_message
from serving.cli.output import line
from serving.desk import open_desk, open_pipeline
from serving.knowledge import knowledge_of
from serving.services.reading import read
from serving.settings import read_settings


def answer(
    question: Annotated[str, typer.Argument(help="The question.")],
    language: Annotated[str | None, typer.Option(help="Its language as BCP 47, if it is known.")] = None,
    kb: Annotated[Path | None, typer.Option(help="A folder of articles instead of the desk's knowledge base.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Answer from the knowledge base with the source, or say that it has no answer (exit status 3)."""
    message = checked_message(question, channel=None, language=language, channels=())
    settings = read_settings()
    if kb is not None:
        found = read_articles([kb])
        pipeline = open_pipeline(settings)
        knowledge = knowledge_of(
            pipeline, found.articles, found.macros, version=str(kb), cache=settings.cache_dir / "kb"
        )
    else:
        now = open_desk(settings).current()
        pipeline, knowledge = now.pipeline, now.knowledge
    reading = read(pipeline, knowledge, [message], always=True)[0]
    reply = reading.answer
    if json:
        sources = [
            {"article_id": c.article_id, "title": c.title, "language": c.language, "score": c.score}
            for c in (reply.citations if reply else ())
        ]
        typer.echo(
            line(
                {
                    "answer": reply
                    and {"text": reply.text, "language": reply.language, "confidence": reply.confidence},
                    "citations": sources,
                    "text_language": reading.triage.language.code,
                }
            )
        )
    elif reply is None:
        typer.echo("No answer in the knowledge base.", err=True)
    else:
        typer.echo(reply.text)
        for citation in reply.citations:
            typer.echo(f"\n— {citation.title} ({citation.article_id})")
    if reply is None:
        raise typer.Exit(3)
