"""A quick no while the queue is full."""

from starlette.types import ASGIApp, Receive, Scope, Send

from app.hosting.admission import Admission
from app.hosting.refusals import Overloaded
from app.web.errors import say_no_now


class RefuseWhenFull:
    """Answers a POST before its body is read when nothing more can wait."""

    def __init__(self, app: ASGIApp, admission: Admission) -> None:
        self.app = app
        self.admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and self.admission.is_full:
            await say_no_now(Overloaded("queue full"), scope, receive, send)
        else:
            await self.app(scope, receive, send)
