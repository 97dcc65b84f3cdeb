from pathlib import Path

import pytest
from pydantic import ValidationError

from app.settings import Settings, get_settings, resource


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"LAYERGLASS_{name.upper()}", raising=False)


def test_the_app_listens_to_this_machine_alone_unless_told_otherwise() -> None:
    assert Settings().host == "127.0.0.1"


def test_each_setting_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LAYERGLASS_HOST", "0.0.0.0")
    monkeypatch.setenv("LAYERGLASS_PORT", "9000")
    monkeypatch.setenv("LAYERGLASS_WORKERS", "3")
    monkeypatch.setenv("LAYERGLASS_MODELS", str(tmp_path))
    assert Settings() == Settings(host="0.0.0.0", port=9000, workers=3, models=tmp_path)


@pytest.mark.parametrize(("name", "value"), [("PORT", "70000"), ("PORT", "-1"), ("PORT", "web"), ("WORKERS", "0")])
def test_what_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"LAYERGLASS_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_a_process_reads_its_settings_once(monkeypatch: pytest.MonkeyPatch) -> None:
    get_settings.cache_clear()
    first = get_settings()
    monkeypatch.setenv("LAYERGLASS_PORT", "9001")
    assert get_settings() is first
    get_settings.cache_clear()


@pytest.mark.parametrize("name", ["static", "templates"])
def test_the_app_s_own_folders_are_found(name: str) -> None:
    assert resource(name).is_dir()


def test_models_are_looked_for_beside_the_app() -> None:
    assert Settings().models == resource("models")
