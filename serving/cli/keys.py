"""frontdesk keys: API keys for addresses that others can reach."""

from typing import Annotated

import typer

from serving.auth import Scope
from serving.desk import open_desk_database
from serving.errors import BadSettings
from serving.settings import read_settings
from serving.storage.keys import ApiKeyRepository

app = typer.Typer(help="API keys and what each may do.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Who uses it, for people.")],
    scope: Annotated[list[Scope] | None, typer.Option(help="What it may do; everything by default.")] = None,
) -> None:
    """Make a key and show it, this once."""
    with open_desk_database(read_settings()).transaction() as session:
        made = ApiKeyRepository(session).create(name, [one.value for one in scope or Scope])
    typer.echo(made.key)


@app.command("list")
def list_() -> None:
    """The keys of this desk, without their secrets."""
    with open_desk_database(read_settings()).transaction(read_only=True) as session:
        for key in ApiKeyRepository(session).list():
            state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else "active"
            typer.echo(f"{key.id}  {key.name}  {','.join(key.scopes)}  {key.created_at:%Y-%m-%d}  {state}")


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(help="The id, as `keys list` shows it.")]) -> None:
    """End a key for good."""
    with open_desk_database(read_settings()).transaction() as session:
        revoked = ApiKeyRepository(session).revoke(key_id)
    if revoked is None:
        raise BadSettings(f"No key has the id {key_id!r}. `frontdesk keys list` shows them.")
    typer.echo(f"revoked: {revoked.name}")
