"""The app under Ray Serve: replicas on many machines, each the same app that `layerglass serve` runs.

Ray is an extra, `pip install layerglass[scale]`, and nothing else imports this module. deploy/serve.yaml says how many
replicas there are; docs/scale.md tells what Ray's proxy limits, and what it does not.
"""

from fastapi import FastAPI
from ray import serve

from .main import create_app


class NotReady(RuntimeError):
    """A replica whose default network is not loaded, or which is stopping. Ray replaces it."""


@serve.deployment
@serve.ingress(create_app)  # called in each replica, which runs the app's lifespan before it takes requests
class Layerglass:
    """One replica: one process with one app."""

    app: FastAPI  # Ray sets it

    def check_health(self) -> None:
        """Tell Ray what /ready tells everybody else. Raises: NotReady."""
        if not getattr(self.app.state, "ready", False):
            raise NotReady


app = Layerglass.bind()  # type: ignore[attr-defined]
