"""The one error of the command line: something that a person can put right."""


class Refused(Exception):  # noqa: N818  # named after what happened
    """A command can't be carried out; the message says why and what would help. Nothing changed."""
