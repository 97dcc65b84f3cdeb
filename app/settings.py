"""Settings from the environment: LAYERGLASS_MODELS, LAYERGLASS_HOST, and so on."""

import os
import re
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, RedisDsn, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_PREFIX = "LAYERGLASS_"
_BOUNDS = {"gt": "above", "ge": "of at least", "le": "of at most"}
_IN_WORDS = {
    "frame_ancestors": "origins with spaces between, such as http://localhost:8888 https://draw.example",
    "token": "32 to 63 lower-case letters and digits",
}
_APP = Path(__file__).parent
_FORM_BYTES = 64 * 1024  # of a multipart form, beside its file


def resource(name: str) -> Path:
    """Return the folder static, templates or models: beside app/ in a checkout, inside it once installed."""
    return folder if (folder := _APP / name).is_dir() else _APP.parent / name


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server that listens on this host."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def count_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def count_megabytes() -> int:
    """Return how much memory this machine has, in megabytes; 8,192 where it does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    except (AttributeError, OSError, ValueError):
        return 8192


def _split_paths(value: object) -> object:
    return [part for part in value.split(os.pathsep) if part] if isinstance(value, str) else value


def _split_words(value: object) -> object:
    return value.split() if isinstance(value, str) else value


# What a Content-Security-Policy takes: an origin, its port perhaps a *, or the scheme of an app, such as an editor's.
_ORIGIN = re.compile(
    r"https?://(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:([0-9]{1,5}|\*))?|(?!https?:)[a-z][a-z0-9+.-]*:"
)


def _check_origin(word: str) -> str:
    if not _ORIGIN.fullmatch(word):
        raise ValueError("not an origin")
    return word


Paths = Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_split_paths)]  # separated as in PATH
Origins = Annotated[
    tuple[Annotated[str, AfterValidator(_check_origin)], ...], NoDecode, BeforeValidator(_split_words)
]  # with spaces between


class LogFormat(StrEnum):
    """The format of log lines; auto is text on a terminal and JSON elsewhere."""

    AUTO = "auto"
    TEXT = "text"
    JSON = "json"


class Settings(BaseSettings):
    """All settings. Each is read from the environment variable of its name, in capitals, after LAYERGLASS_.

    Limits are in bytes, seconds or counts. All but requests_per_minute hold for each worker process.
    """

    model_config = SettingsConfigDict(env_prefix=_PREFIX, allow_inf_nan=False)

    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="The port to listen on.")
    workers: int = Field(default=1, ge=1, description="How many processes answer requests.")
    built_in_models: Path = Field(
        default_factory=lambda: resource("models"), description="The folder of the models that come with Layerglass."
    )
    models: Paths = Field(default=(), description="Folders of your own models.")
    model: Paths = Field(default=(), description="Files of your own models.")
    lessons: Paths = Field(default=(), description="Folders of your own lessons.")
    pictures: Paths = Field(default=(), description="Folders of your own pictures, shown to models on /atlas.")
    uploads: bool | None = Field(
        default=None,
        description="Whether models may be uploaded and changed from the page; by default only on a loopback address.",
    )
    upload_megabytes: int = Field(default=64, ge=1, le=512, description="Megabytes of an uploaded model.")
    state: Path | None = Field(
        default=None,
        description="The folder of uploads, by default a temporary one; or a store's address, such as s3://bucket/folder.",
    )
    store: str | None = Field(default=None, description="The store's address, where STATE is the folder of its copy.")
    allowed_hosts: str = Field(
        default="", description="Host names to answer to, with commas; * is any. Default: this machine's, or any."
    )
    frame_ancestors: Origins = Field(
        default=(), description="Origins whose pages may show this one in a frame, with spaces; by default none."
    )
    token: str | None = Field(
        default=None,
        pattern="^[a-z0-9]{32,63}$",
        description="A secret: only requests to the host TOKEN.localhost are answered.",
    )
    forwarded_allow_ips: str = Field(
        default="127.0.0.1,::1", description="Proxies whose X-Forwarded-For and X-Forwarded-Proto are trusted."
    )
    log_format: LogFormat = Field(default=LogFormat.AUTO, description="text, json, or auto: text on a terminal.")

    computations: int = Field(default_factory=count_cores, ge=1, description="Drawings computed at once.")
    waiting: int = Field(default=32, ge=0, description="Drawings that wait for their turn.")
    wait_seconds: float = Field(default=5, gt=0, description="How long a drawing waits for its turn.")
    answer_seconds: float = Field(default=90, gt=0, description="How long an answer may take, the wait included.")
    long_computations: int = Field(
        default=8, ge=1, description="Runs over many digits at once, in slices beside the drawings."
    )
    long_seconds: float = Field(default=300, gt=0, description="Seconds that a run over many digits may compute.")
    shutdown_seconds: int = Field(default=10, ge=0, description="How long a stop waits for running requests.")

    connections: int = Field(default=512, ge=1, description="Open connections.")
    keep_alive_seconds: int = Field(default=15, ge=1, description="How long an idle connection is kept.")
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
    max_field: int = Field(default=131_072, ge=64, description="Bytes of a field.")
    held_megabytes: int = Field(default=256, ge=1, description="Megabytes of all request bodies in memory.")
    answers_megabytes: int = Field(
        default=128, ge=1, description="Megabytes of all large answers in memory while they are read."
    )
    kept_megabytes: int = Field(
        default=512, ge=0, description="Megabytes of networks kept ready and of forward passes remembered."
    )
    run_megabytes: int = Field(
        default_factory=lambda: min(2048, max(512, count_megabytes() // 4)),
        ge=64,
        description="Megabytes that a network may take for one drawing; by default 2048, or a quarter of the memory.",
    )
    run_seconds: float = Field(default=20, gt=0, description="Seconds that a network may take for one drawing.")
    requests_per_minute: int | None = Field(
        default=None, ge=0, description="Requests a minute from one address; 0 is no limit."
    )
    limits: RedisDsn | None = Field(
        default=None, description="Redis, where several machines count requests together: redis://host:port/0."
    )

    @model_validator(mode="before")
    @classmethod
    def _take_address(cls, values: dict[str, Any]) -> dict[str, Any]:
        state = values.get("state")
        if isinstance(state, str) and "://" in state:
            return {**values, "state": None, "store": state}
        return values

    @property
    def max_body(self) -> int:
        """The largest request body in bytes: a drawing and the form around it."""
        return self.max_drawing + _FORM_BYTES

    @property
    def max_upload(self) -> int:
        """The largest request body with a model in bytes."""
        return self.upload_megabytes * 2**20 + _FORM_BYTES

    @property
    def max_bodies(self) -> int:
        """The largest sum of all request bodies in memory in bytes; one of them always fits."""
        return max(self.held_megabytes * 2**20, self.max_body)

    @property
    def takes_models(self) -> bool:
        """Models may be uploaded and changed from the page."""
        return is_loopback(self.host) if self.uploads is None else self.uploads

    @property
    def hosts(self) -> frozenset[str]:
        """The host names to answer to; unless they are set, only this machine's on a loopback address."""
        if self.token:
            return frozenset({f"{self.token}.localhost"})
        if self.allowed_hosts:
            return frozenset(name.strip().strip("[]").lower() for name in self.allowed_hosts.split(","))
        return frozenset({"localhost", "127.0.0.1", "::1", self.host}) if is_loopback(self.host) else frozenset("*")

    @property
    def rate_limit(self) -> int:
        """Requests a minute from one address; 0 is no limit. A page sends 20 to 50 a second while someone draws."""
        if self.requests_per_minute is not None:
            return self.requests_per_minute
        return 0 if is_loopback(self.host) else 3000


@cache
def get_settings() -> Settings:
    """Return the settings of this process, read once."""
    return Settings()


def describe_errors(error: ValidationError) -> list[str]:
    """Return a sentence for each setting that is wrong: its variable, its value, and what was expected."""
    names = [(str(each["loc"][0]), each["input"]) for each in error.errors()]
    return [f"{_PREFIX}{name.upper()} is “{value}”, but must be {_expected(name)}." for name, value in names]


def _expected(name: str) -> str:
    """Return what a setting's value must be, in words."""
    field = Settings.model_fields[name]
    annotation = str(field.annotation)
    if name in _IN_WORDS:
        return _IN_WORDS[name]
    if field.annotation is LogFormat:
        return " or ".join(LogFormat)
    if "RedisDsn" in annotation:
        return "an address like redis://host:6379/0"
    if "bool" in annotation:
        return "true or false"
    kind = "a whole number" if "int" in annotation else "a finite number" if "float" in annotation else "a path"
    bounds = {bound: getattr(each, bound) for each in field.metadata for bound in _BOUNDS if hasattr(each, bound)}
    if "ge" in bounds and "le" in bounds:
        return f"{kind} from {bounds['ge']} to {bounds['le']}"
    return " ".join([kind, *(f"{_BOUNDS[bound]} {value}" for bound, value in bounds.items())])


def describe_missing(settings: Settings) -> list[str]:
    """Return a sentence for each path that is not there, or is not what it must be."""
    folders = [("MODELS (--models)", path, _fault(path, Path.is_dir, "a folder")) for path in settings.models]
    folders += [("LESSONS (--lessons)", path, _fault(path, Path.is_dir, "a folder")) for path in settings.lessons]
    folders += [("PICTURES (--pictures)", path, _fault(path, Path.is_dir, "a folder")) for path in settings.pictures]
    files = [("MODEL (--model)", path, _fault(path, Path.is_file, "a regular file")) for path in settings.model]
    if settings.state is not None and settings.state.exists():  # else it is made
        folders.append(("STATE", settings.state, _fault(settings.state, Path.is_dir, "a folder")))
    return [f"{_PREFIX}{name} names “{path}”, which {fault}." for name, path, fault in [*folders, *files] if fault]


def _fault(path: Path, is_right: Callable[[Path], bool], kind: str) -> str | None:
    """Return what is wrong with a path; None if nothing is."""
    try:
        path.stat()
    except FileNotFoundError:
        return "does not exist"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if not is_right(path):
        return f"is not {kind}"
    return None if os.access(path, os.R_OK) else "may not be read"
