"""What goes wrong on real machines, for tests: a disk without room, and a process that is killed at a certain call."""

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """The system refuses to write files that are larger, as it does on a disk with no more room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def deadly(home: Any, name: str, call_number: int, *, after: bool) -> None:
    """Let this process be killed before, or after, the so-manyth call of a function from now on."""
    real, calls = getattr(home, name), 0

    def call(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call_number and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*arguments, **named)
        if calls == call_number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(home, name, call)
