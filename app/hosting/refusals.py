"""Requests that are refused before their route is asked."""

from http import HTTPStatus


class Refused(Exception):
    """A request that gets its answer before its route is asked; the message is the sentence."""

    status: HTTPStatus
    reason: str  # in a word or two, for the metrics

    def __init__(self, sentence: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.headers = headers


class TooLarge(Refused):
    """A body over the limit. What is left of it is not waited for."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    reason = "too large"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, {"Connection": "close"})


class Overloaded(Refused):
    """More is asked than can be computed in time."""

    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, reason: str, retry_seconds: int = 2) -> None:
        sentence = f"The server has more to compute than it can just now. Try again in {retry_seconds} seconds."
        super().__init__(sentence, {"Retry-After": str(retry_seconds)})
        self.reason = reason


class NoRoom(Overloaded):
    """All bodies together hold as much as may be held. What is left of this one is not waited for."""

    def __init__(self) -> None:
        super().__init__("bodies held")
        self.headers = {**(self.headers or {}), "Connection": "close"}
