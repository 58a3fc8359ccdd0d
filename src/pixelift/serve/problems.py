"""What goes wrong, told as RFC 9457 has it: one JSON object, the same for people and programs."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

TYPE_PREFIX = "urn:problem-type:pixelift:"
MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """One way of failing."""

    status: int
    title: str


KINDS: Mapping[str, Kind] = {
    "bad-form": Kind(400, "The form cannot be read"),
    "no-token": Kind(401, "A token is needed"),
    "cross-origin": Kind(403, "Another site may not use this service"),
    "not-found": Kind(404, "There is nothing here"),
    "no-job": Kind(404, "There is no such job"),
    "wrong-method": Kind(405, "The method is not allowed here"),
    "slow-upload": Kind(408, "The upload takes too long"),
    "not-done": Kind(409, "The job is not done yet"),
    "cancelled": Kind(409, "The job was cancelled"),
    "too-many-bytes": Kind(413, "The picture's file is too large"),
    "too-many-pixels": Kind(413, "The picture has too many pixels"),
    "out-of-memory": Kind(413, "The picture needs too much memory"),
    "no-form": Kind(415, "The request is no form with a file"),
    "no-picture": Kind(415, "The file is no picture that is read"),
    "wrong-host": Kind(421, "The service is not known by this name"),
    "bad-field": Kind(422, "A field of the form is wrong"),
    "bad-picture": Kind(422, "The picture cannot be read"),
    "bad-result": Kind(422, "The result cannot be written in this format"),
    "busy": Kind(429, "There is too much to do"),
    "failed": Kind(500, "Something failed that should not"),
    "stopping": Kind(503, "The service is about to stop"),
    "too-long": Kind(504, "The picture took too long"),
}
"""All ways of failing. Their names are part of the interface; see docs/serving.md."""


class ProblemBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The JSON object of a problem."""

    type: str
    """A URN that names the kind of problem; programs look at this."""

    title: str
    status: int
    detail: str
    """What was wrong this time, what is allowed, and what to do."""

    field: str | None = None
    """The field of the form that is wrong."""


class Problem(Exception):  # noqa: N818 - named as RFC 9457 names it
    """A request or a job that fails, and what to tell about it."""

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        field: str | None = None,
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Describe a failure.

        Args:
            kind: One of `KINDS`.
            detail: What was given, what is allowed and what to do; one line.
            field: The form's field that is wrong.
            retry_after: Seconds after which another try makes sense.
            headers: Further headers of the response.
        """
        super().__init__(detail)
        self.kind = kind
        self.detail = " ".join(detail.split())
        self.field = field
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["retry-after"] = str(retry_after)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return KINDS[self.kind].status

    def body(self) -> ProblemBody:
        """Put the JSON object together."""
        return ProblemBody(
            type=TYPE_PREFIX + self.kind,
            title=KINDS[self.kind].title,
            status=self.status,
            detail=self.detail,
            field=self.field,
        )

    def encoded(self) -> bytes:
        """Make the bytes of the response's body."""
        return msgspec.json.encode(self.body())
