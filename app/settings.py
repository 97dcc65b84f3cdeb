"""The app's settings, from the environment: LAYERGLASS_MODELS, LAYERGLASS_HOST, ..."""

import os
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


class Settings(BaseSettings):
    """Each can be set in the environment, in capitals and with the prefix LAYERGLASS_."""

    model_config = SettingsConfigDict(env_prefix="LAYERGLASS_")

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

    @property
    def takes_models(self) -> bool:
        """Models may be opened and changed from the page."""
        return is_loopback(self.host) if self.uploads is None else self.uploads


@cache
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
