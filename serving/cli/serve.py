"""frontdesk serve: the HTTP API."""

import gc
import logging
import socket
from typing import Annotated

import typer
import uvicorn

from serving.app import create_app
from serving.auth import keys_required
from serving.desk import open_desk
from serving.errors import BadSettings
from serving.limits import configure_logging
from serving.services.reading import read
from serving.settings import read_settings
from triage.pipeline import Message

log = logging.getLogger(__name__)


def serve(
    host: Annotated[str, typer.Option(help="The address to serve on; any but a loopback one needs API keys.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = 8000,
) -> None:
    """Serve the HTTP API, with its pages under /docs."""
    settings = read_settings()
    configure_logging(settings.log_level)
    # The port is taken before anything is loaded, so that a clash shows at once.
    with _listening(host, port) as listener:
        desk = open_desk(settings)
        app = create_app(desk, keys_required=keys_required(desk, host))
        now = desk.current()
        # Encoder, language models and index load what they need on first use, which is no customer's matter.
        read(now.pipeline, now.knowledge, [Message("Where is my order?")], always=True)
        gc.freeze()  # what is loaded now stays; the collector need not walk through it again and again
        log.info(
            "serving on http://%s:%d with %s and %d articles",
            host,
            listener.getsockname()[1],
            now.pipeline.bundle.reference,
            len(now.knowledge.articles),
        )
        uvicorn.Server(uvicorn.Config(app, access_log=False, log_config=None)).run(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns Nagle's algorithm off only where it is; left on, it adds 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise BadSettings(
            f"Cannot serve on {host}:{port} ({error.strerror or error}). "
            "Stop what uses the port, or name another one with --port."
        ) from error
    return listener
