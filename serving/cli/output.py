"""What commands print: JSON for programs, progress for people at a terminal."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from serving.errors import BadSettings


def line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def progress() -> Progress:
    """A progress bar on standard error; silent where that is no terminal."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    return Progress(*columns, console=console, disable=not console.is_terminal)


def warn(text: str) -> None:
    typer.echo(text, err=True)


@contextmanager
def writing(path: Path | None) -> Iterator[TextIO]:
    """Standard output, or a file that takes its name only when everything has been written to it."""
    if path is None:
        yield typer.get_text_stream("stdout")
        return
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with scratch.open("w", encoding="utf-8") as file:
            yield file
        scratch.replace(path)
    except FileNotFoundError as error:
        raise BadSettings(f"{path} cannot be written: {path.parent} does not exist. Create it first.") from error
    except OSError as error:
        raise BadSettings(f"{path} cannot be written ({error.strerror}).") from error
    finally:
        scratch.unlink(missing_ok=True)
