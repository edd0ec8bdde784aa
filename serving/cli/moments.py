"""Days and moments as the command line is given them."""

from datetime import UTC, datetime

from serving.errors import BadSettings


def parse_moment(text: str | None) -> datetime | None:
    """An ISO 8601 day, which is its first moment, or moment; in UTC where it names no other zone.

    Raises:
        BadSettings: for anything else.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadSettings(
            f"{text!r} is no moment; write a day such as 2026-03-01, or 2026-03-01T09:30+07:00 (UTC without a zone)."
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
