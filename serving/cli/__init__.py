"""The command line: where commands are put together, and the one place of serving that knows training."""

import logging
import sys

import typer

from kb.errors import KnowledgeError
from models.errors import ModelError
from serving.cli import answer, doctor, evaluate, export, keys, knowledge, models, serve, train, triage
from serving.errors import BadRequest, BadSettings, UnsafeStart
from serving.storage.candidates import UnknownCandidate
from serving.storage.engine import StorageError
from training.errors import BadTrainingData
from triage.errors import BadConfiguration

EXPECTED = (
    BadConfiguration,
    BadRequest,
    BadSettings,
    BadTrainingData,
    KnowledgeError,
    ModelError,
    StorageError,
    UnknownCandidate,
    UnsafeStart,
)
"""Errors whose message is for the user; any other one is a fault of the program and shows its traceback."""

app = typer.Typer(
    name="frontdesk",
    help="Tags, answers and suggested replies for what customers write, in any language.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(serve.serve)
app.command()(triage.triage)
app.command()(answer.answer)
app.command()(train.train)
app.command()(evaluate.evaluate)
app.command()(doctor.doctor)
app.add_typer(knowledge.app, name="kb")
app.add_typer(keys.app, name="keys")
app.add_typer(models.app, name="models")
app.add_typer(export.app, name="export")


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        app()
    except EXPECTED as error:
        typer.echo(f"frontdesk: {error}", err=True)
        sys.exit(1)
