"""Answers that are sent in parts, because a second copy of them would be large."""

from base64 import b64encode
from collections.abc import Iterable, Iterator

from fastapi import Response
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

SMALL_ANSWER = 2**20  # bytes of pictures; the JSON of fewer is made in one piece

_PART = 3 * 2**18  # bytes of a picture that are written as base64 at once: a multiple of 3, so that the parts join
_EMPTY = b'"png":""'  # in JSON; no text can hold these bytes, because its quotation marks are escaped


class PartsResponse(Response):
    """An answer of known length whose parts are made while it is sent."""

    def __init__(self, parts: Iterable[bytes], length: int, media_type: str) -> None:
        super().__init__(headers={"Content-Length": str(length)}, media_type=media_type)
        self.parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for part in self.parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


class Pictures:
    """The pictures of an answer, in the order of its JSON, which are put in while it is sent."""

    def __init__(self) -> None:
        self._pngs: list[bytes] = []

    def leave_out(self, png: bytes) -> str:
        """Take the next picture, and return what stands for it in the answer."""
        self._pngs.append(png)
        return ""

    def put_into(self, answer: BaseModel) -> Response:
        """Return the JSON of an answer with the pictures that were left out of it."""
        texts = answer.model_dump_json().encode().split(_EMPTY)
        assert len(texts) == len(self._pngs) + 1
        length = sum(map(len, texts)) + sum(len('"png":""') + 4 * -(-len(png) // 3) for png in self._pngs)
        return PartsResponse(self._join(texts), length, "application/json")

    def _join(self, texts: list[bytes]) -> Iterator[bytes]:
        for text, png in zip(texts, self._pngs, strict=False):
            yield text + b'"png":"'
            for start in range(0, len(png), _PART):
                yield b64encode(png[start : start + _PART])
            yield b'"'
        yield texts[-1]
