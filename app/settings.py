"""The app's settings, from the environment: LAYERGLASS_MODELS, LAYERGLASS_HOST, ..."""

import os
from enum import StrEnum
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_APP = Path(__file__).parent


def resource(name: str) -> Path:
    """The folder static, templates or models: beside app/ in a checkout, inside it in an installed package."""
    return folder if (folder := _APP / name).is_dir() else _APP.parent / name


def is_loopback(host: str) -> bool:
    """Only this machine itself can reach a server that listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _split(value: object) -> object:
    return [part for part in value.split(os.pathsep) if part] if isinstance(value, str) else value


# Several of them in the environment are separated as in PATH.
Paths = Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_split)]


class LogFormat(StrEnum):
    """How a log line is written; auto is text on a terminal, JSON elsewhere."""

    AUTO = "auto"
    TEXT = "text"
    JSON = "json"


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


class Settings(Limits):
    """Each can be set in the environment, in capitals and with the prefix LAYERGLASS_."""

    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="The port to listen on.")
    workers: int = Field(default=1, ge=1, description="How many processes answer requests.")
    built_in_models: Path = Field(
        default_factory=lambda: resource("models"), description="The folder of the models that came with Layerglass."
    )
    models: Paths = Field(default=(), description="Folders of models of your own.")
    model: Paths = Field(default=(), description="Files of models of your own.")
    networks: int = Field(default=16, ge=1, description="How many networks are kept ready.")
    uploads: bool | None = Field(
        default=None,
        description="Whether models may be opened and changed from the page; by default where only this machine can.",
    )
    upload_megabytes: int = Field(default=64, ge=1, le=512, description="How large an uploaded model may be.")
    state: Path | None = Field(default=None, description="Where uploads are kept; by default a temporary folder.")
    allowed_hosts: str = Field(
        default="", description="The host names to answer to, with commas; * is any. Default: this machine's, or any."
    )
    forwarded_allow_ips: str = Field(
        default="127.0.0.1,::1", description="The proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."
    )
    log_format: LogFormat = Field(default=LogFormat.AUTO, description="text, json, or auto: text on a terminal.")

    @property
    def takes_models(self) -> bool:
        """Models may be opened and changed from the page."""
        return is_loopback(self.host) if self.uploads is None else self.uploads

    @property
    def hosts(self) -> frozenset[str]:
        """The host names to answer to: on a loopback address this machine's alone, unless they are set."""
        if self.allowed_hosts:
            return frozenset(name.strip().strip("[]").lower() for name in self.allowed_hosts.split(","))
        return frozenset({"localhost", "127.0.0.1", "::1", self.host}) if is_loopback(self.host) else frozenset("*")

    @property
    def rate(self) -> int:
        """Requests a minute from one address; 0 is no limit. A drawing page sends some 20 to 50 a second."""
        if self.requests_per_minute is not None:
            return self.requests_per_minute
        return 0 if is_loopback(self.host) else 3000


@cache
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
