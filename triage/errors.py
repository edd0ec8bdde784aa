"""What can go wrong before a message is read: files that a desk edits."""


class BadConfiguration(Exception):
    """A taxonomy or policy file that cannot be used; `problems` has one line for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))
