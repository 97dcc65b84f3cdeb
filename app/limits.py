"""How much of everything the server takes, and for how long: each a setting, LAYERGLASS_WAITING and so on."""

import os

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

FORM_BYTES = 64 * 1024  # of the form around a file


def count_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Limits(BaseSettings):
    """What a process takes at most. Bytes, seconds, and counts; each worker process has its own."""

    model_config = SettingsConfigDict(env_prefix="LAYERGLASS_")

    computations: int = Field(default_factory=count_cores, ge=1, description="Drawings computed at once.")
    waiting: int = Field(default=32, ge=0, description="Drawings that wait for their turn.")
    wait_seconds: float = Field(default=5, gt=0, description="How long a drawing waits for its turn.")
    answer_seconds: float = Field(default=90, gt=0, description="How long an answer may take, the wait included.")
    shutdown_seconds: int = Field(default=10, ge=0, description="How long a stop waits for what is under way.")

    connections: int = Field(default=512, ge=1, description="Connections held at once.")
    keep_alive_seconds: int = Field(default=15, ge=1, description="How long an idle connection is held.")
    head_seconds: float = Field(default=10, gt=0, description="How long the head of a request may take to arrive.")
    body_seconds: float = Field(default=60, gt=0, description="How long a body may take to arrive.")
    body_rate: int = Field(default=1000, ge=1, description="Bytes a second that a body must arrive with after 10 s.")
    stall_seconds: float = Field(default=30, gt=0, description="How long a client may stop reading its answer.")

    max_url: int = Field(default=8192, ge=64, description="Bytes of a URL.")
    max_headers: int = Field(default=100, ge=1, description="Headers of a request.")
    max_head: int = Field(default=32_768, ge=1024, description="Bytes of a request's head.")
    max_drawing: int = Field(default=4 * 1024 * 1024, ge=1024, description="Bytes of a drawing.")
    max_side: int = Field(default=4096, ge=28, description="Pixels along a side of a drawing.")
    max_fields: int = Field(default=128, ge=16, description="Fields of a form.")
    max_field: int = Field(default=16_384, ge=64, description="Bytes of a field.")
    held_megabytes: int = Field(default=256, ge=1, description="Megabytes of all drawings that are being received.")
    remembered_megabytes: int = Field(default=256, ge=0, description="Megabytes of forward passes remembered.")
    requests_per_minute: int | None = Field(
        default=None, ge=0, description="Requests a minute from one address; 0 is no limit."
    )

    @property
    def max_body(self) -> int:
        """Bytes of a request's body: a drawing, and the form around it."""
        return self.max_drawing + FORM_BYTES
