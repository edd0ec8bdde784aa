"""frontdesk models add-label: a label by description and a few examples, without training the others again."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from models.bundle import load_bundle
from models.registry import STARTER_NAME
from serving.cli.output import warn
from serving.cli.train import check_target, keep, training_encoder
from serving.desk import open_registry
from serving.errors import BadSettings
from serving.settings import read_settings
from triage import taxonomy
from triage.taxonomy import load_taxonomy

if TYPE_CHECKING:
    from training.extend import NewLabel

MOST_EXAMPLES = 5
"""With more, rows in a file say more, and what is learned from them can be judged: `frontdesk train --from`."""
_CLOSE = 0.8


def add_label(
    reference: Annotated[str, typer.Argument(help="NAME@VERSION, NAME, live or a folder.")],
    task: Annotated[str, typer.Argument(help="The task that gets the label, such as intent.")],
    label: Annotated[str, typer.Argument(help="The new label, such as warranty.extension.")],
    description: Annotated[str, typer.Option(help="What customers want who write about it, in a sentence.")] = "",
    example: Annotated[list[str] | None, typer.Option(help="A message of the kind; up to five.")] = None,
    name: Annotated[
        str | None, typer.Option(help="The new bundle's name; by default the old one's, or desk for the starter.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="A new folder for the bundle; by default in the desk.")] = None,
) -> None:
    """Add a label that nobody has labelled rows of; the other labels stay as they are, and live is not touched."""
    from training.data import Ticket, Tickets
    from training.extend import extend

    texts = [text.strip() for text in (description, *(example or ())) if text.strip()]
    if not texts:
        raise BadSettings(f"Nothing says what {label!r} is. Give --description, or --example once or more, or both.")
    if len(example or ()) > MOST_EXAMPLES:
        raise BadSettings(
            f"{len(example or ())} examples; add-label takes {MOST_EXAMPLES}. Write them into a file: "
            f"frontdesk train FILE --task {task} --from {reference}"
        )
    settings = read_settings()
    encoder = training_encoder(settings, None)
    bundle = load_bundle(open_registry(settings).find(reference), encoder)
    # The shipped bundle's name stands for what is shipped.
    name = name or ("desk" if bundle.name == STARTER_NAME else bundle.name)
    check_target(settings, name, output)
    rows = tuple(Ticket(text, {task: (label,)}, None, str(number)) for number, text in enumerate(texts))
    found = extend(bundle, Tickets(rows, (), ""), [task], encoder)
    for sentence in _how_sure(found.added[0], len(texts)):
        warn(sentence)
    keep(replace(found.bundle, name=name), settings, output)
    labels = load_taxonomy(settings.taxonomy or taxonomy.STARTER)
    known = {"intent": {one.id for one in labels.intents}, "urgency": {one.id for one in labels.urgencies}}
    if label not in known.get(task, {label}):
        warn(
            f"Add {label} to the taxonomy file before this bundle is promoted: until then such messages go to review, "
            "and the doctor complains."
        )


def _how_sure(label: "NewLabel", texts: int) -> list[str]:
    """What can be said of a label that was learned from so little."""
    near, cosine = label.nearest
    how_sure = "only where the bundle is very sure" if label.recall is None else "from its usual thresholds on"
    said = [f"{label.task} {label.label}: learned from {texts} texts, and given {how_sure}."]
    if label.recall is None:
        said.append("That is too little to test it on; see what it does in shadow before it is promoted.")
    else:
        said.append(f"Each third of the texts was tried by what the others teach: {label.recall:.0%} were found.")
    caution = "; the two are easily confused, and more examples would tell them apart" if cosine > _CLOSE else ""
    return [*said, f"Most like it is {near} ({cosine:.2f}){caution}."]
