"""Requests to a server: its refusals become exceptions with its own sentence, and a busy one is asked again."""

import time
from typing import Any

import httpx2

_TRIES, _LONGEST_WAIT = 4, 10.0  # of a busy server; seconds before the next try


class ServerError(Exception):
    """The server cannot be reached, or did not answer as it should."""


class Refused(ServerError, ValueError):
    """The server refused a request. The message is its sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class NotThere(Refused, KeyError):
    """The server has no such model, layer or cell."""

    __str__ = Exception.__str__  # KeyError puts its message in quotes


class Transport:
    """Sends requests, one after the other."""

    def __init__(self, client: httpx2.Client) -> None:
        self._client = client

    def get(self, path: str) -> httpx2.Response:
        """Raises: ServerError."""
        return self._send("GET", path)

    def post(self, path: str, fields: dict[str, Any], files: dict[str, bytes]) -> httpx2.Response:
        """Send a form. Raises: ServerError."""
        # Without a file the client would send another kind of form, which the server does not take.
        parts: list[Any] = [(name, (name, content)) for name, content in files.items()]
        parts += [(name, (None, value)) for name, value in fields.items() if not isinstance(value, list)]
        parts += [(name, (None, each)) for name, value in fields.items() if isinstance(value, list) for each in value]
        return self._send("POST", path, files=parts)

    def close(self) -> None:
        self._client.close()

    def _send(self, method: str, path: str, **content: Any) -> httpx2.Response:
        for last in (*[False] * (_TRIES - 1), True):
            try:
                answer = self._client.request(method, path, **content)
            except httpx2.TimeoutException as error:
                raise ServerError(f"The server at {self._client.base_url} did not answer in time.") from error
            except httpx2.TransportError as error:
                raise ServerError(f"There is no server at {self._client.base_url}: {error}.") from error
            if answer.status_code != 503 or last:
                break
            time.sleep(_read_wait(answer))
        if answer.is_error:
            raise _make_error(answer)
        return answer


def _read_wait(answer: httpx2.Response) -> float:
    """Return the seconds after which a busy server wants to be asked again, within bounds."""
    text = answer.headers.get("Retry-After", "")
    return min(float(text), _LONGEST_WAIT) if text.isdecimal() else 1.0


def _make_error(answer: httpx2.Response) -> ServerError:
    try:
        sentence = str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return ServerError(f"The server answered {answer.status_code}, and not as Layerglass does.")
    if answer.status_code >= 500:
        return ServerError(sentence)
    return (NotThere if answer.status_code == 404 else Refused)(answer.status_code, sentence)
