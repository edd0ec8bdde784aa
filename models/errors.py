"""What can go wrong with an encoder or a bundle. Each message names the value, the limit and the next step."""


class ModelError(Exception):
    """Base of the errors of this package."""


class EncoderUnavailable(ModelError):
    """The files of an encoder can neither be found nor fetched."""


class DamagedFile(ModelError):
    """A file's content is not what its record says."""


class EncoderMismatch(ModelError):
    """A bundle was trained on another encoder than the one that is loaded."""


class BundleError(ModelError):
    """A bundle is missing, incomplete or of a format that this version cannot read."""


class RegistryError(ModelError):
    """What a desk has promoted cannot be read, or not be changed as asked."""
