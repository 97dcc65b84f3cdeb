"""The app's settings, from the environment: LAYERGLASS_MODELS, LAYERGLASS_HOST, ..."""

from functools import cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

_APP = Path(__file__).parent


def resource(name: str) -> Path:
    """The folder static, templates or models: beside app/ in a checkout, inside it in an installed package."""
    return folder if (folder := _APP / name).is_dir() else _APP.parent / name


def model_files(folder: Path) -> list[Path]:
    """Every NAME.keras in the folder that has its card NAME.json beside it, by name."""
    return [path for path in sorted(folder.glob("*.keras")) if path.with_suffix(".json").is_file()]


def no_models(folder: Path) -> str:
    """The sentence for a folder without any."""
    return (
        f"No model found in {folder}: expected NAME.keras with its card NAME.json beside it. "
        "Train one with `layerglass train`, or name another folder with --models."
    )


class Settings(BaseSettings):
    """Each can be set in the environment, in capitals and with the prefix LAYERGLASS_."""

    model_config = SettingsConfigDict(env_prefix="LAYERGLASS_")

    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="The port to listen on.")
    workers: int = Field(default=1, ge=1, description="How many processes answer requests.")
    models: Path = Field(default_factory=lambda: resource("models"), description="The folder of trained models.")


@cache
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
