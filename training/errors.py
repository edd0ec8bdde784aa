"""What can go wrong before a bundle is trained."""


class BadTrainingData(Exception):
    """Data that no bundle can be trained on; the message says what is missing and where."""
