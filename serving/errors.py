"""What can go wrong at the edge. Each message names the value, the limit and the next step."""


class BadSettings(Exception):
    """The environment or the command line asks for what cannot be."""


class UnsafeStart(Exception):
    """Serving as asked would be open to anybody."""


class BadRequest(Exception):
    """A request that is well-formed and still cannot be served; `field` says where."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


class NotAuthenticated(Exception):
    """No API key, or one that is not known."""


class NotAllowed(Exception):
    """An API key without the scope that the route needs."""
