"""The errors a replica answers with: each knows its HTTP status; the door and Flask render them."""


class FlotillaError(Exception):
    """An error with a sentence for the client. Subclasses set `status`."""

    status = 500
    retry_after_seconds: int | None = None

    @property
    def message(self) -> str:
        """The sentence that goes into the reply."""
        return str(self)


class BadInput(FlotillaError):  # noqa: N818  # named after what happened, as the status is
    """The request can't be understood or doesn't fit the model's signature."""

    status = 400


class NotFound(FlotillaError):  # noqa: N818
    """No such model, version or page."""

    status = 404


class MethodNotAllowed(FlotillaError):  # noqa: N818
    """The path exists, but not with this method."""

    status = 405


class BodyTooLarge(FlotillaError):  # noqa: N818
    """The body is larger than MAX_BODY_BYTES."""

    status = 413


class WrongContentType(FlotillaError):  # noqa: N818
    """The body isn't declared as what the route takes: JSON, for V2 binary tensors as well."""

    status = 415


class Overloaded(FlotillaError):  # noqa: N818
    """The queue is full. nginx passes this on and doesn't retry: others are as busy."""

    status = 429
    retry_after_seconds = 1


class NotReady(FlotillaError):  # noqa: N818
    """The replica doesn't hold the version (yet). nginx asks another one."""

    status = 503
    retry_after_seconds = 1


class TooLate(FlotillaError):  # noqa: N818
    """The deadline passed before the answer was there."""

    status = 504


class FeedbackUnavailable(FlotillaError):  # noqa: N818
    """Labels can't be kept now: the file that holds them is damaged, or the disk is full."""

    status = 503
    retry_after_seconds = 1
