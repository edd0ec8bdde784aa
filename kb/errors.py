"""What can go wrong with a knowledge base. Each message names the place, the value and the next step."""


class KnowledgeError(Exception):
    """Base of the errors of this package."""


class BadArticle(KnowledgeError):
    """Articles or macros that cannot be read; `problems` has one line for each, with its file."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))


class NothingToImport(KnowledgeError):
    """A path that does not exist or holds neither articles nor macros."""


class SnapshotUnusable(KnowledgeError):
    """A saved index is missing, damaged, of another format, or not of what is to be served."""


class VectorsNotSaved(KnowledgeError):
    """The vectors of texts could not be written to disk; those that were there are untouched."""


class ImportUnderWay(KnowledgeError):
    """Another import into the same knowledge base has not ended yet; nothing was changed."""


class SnapshotNotSaved(KnowledgeError):
    """An index could not be written to disk; the snapshot that was there is untouched."""


class BadConversation(KnowledgeError):
    """Conversations that cannot be read; `problems` has one line for each, with its file and line."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))
