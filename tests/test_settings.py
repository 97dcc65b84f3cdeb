import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.settings import Settings, describe_errors, describe_missing, get_settings, is_loopback, resource


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"LAYERGLASS_{name.upper()}", raising=False)


def test_the_app_listens_to_this_machine_alone_unless_told_otherwise() -> None:
    assert Settings().host == "127.0.0.1"


def test_each_setting_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    expected = Settings(
        host="0.0.0.0",
        port=9000,
        workers=3,
        built_in_models=tmp_path,
        models=(tmp_path / "a b", Path("c")),
        model=(tmp_path / "m.keras",),
        uploads=True,
        upload_megabytes=7,
        state=tmp_path / "state",
    )
    monkeypatch.setenv("LAYERGLASS_HOST", "0.0.0.0")
    monkeypatch.setenv("LAYERGLASS_PORT", "9000")
    monkeypatch.setenv("LAYERGLASS_WORKERS", "3")
    monkeypatch.setenv("LAYERGLASS_BUILT_IN_MODELS", str(tmp_path))
    monkeypatch.setenv("LAYERGLASS_MODELS", os.pathsep.join([str(tmp_path / "a b"), "", "c"]))
    monkeypatch.setenv("LAYERGLASS_MODEL", str(tmp_path / "m.keras"))
    monkeypatch.setenv("LAYERGLASS_UPLOADS", "true")
    monkeypatch.setenv("LAYERGLASS_UPLOAD_MEGABYTES", "7")
    monkeypatch.setenv("LAYERGLASS_STATE", str(tmp_path / "state"))
    assert Settings() == expected


@pytest.mark.parametrize("address", ["s3://bucket/folder", "gs://bucket", "file:///shared/folder", "memory://x"])
def test_the_state_may_be_in_a_store(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("LAYERGLASS_STATE", address)
    assert (Settings().state, Settings().store) == (None, address)


def test_no_folder_is_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAYERGLASS_MODELS", "")
    assert Settings().models == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "70000"),
        ("PORT", "-1"),
        ("PORT", "web"),
        ("WORKERS", "0"),
        ("KEPT_MEGABYTES", "-1"),
        ("RUN_MEGABYTES", "63"),
        ("RUN_SECONDS", "0"),
        ("UPLOADS", "perhaps"),
        ("UPLOAD_MEGABYTES", "0"),
        ("UPLOAD_MEGABYTES", "513"),
    ],
)
def test_what_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"LAYERGLASS_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PORT", "", "a whole number from 0 to 65535"),
        ("WORKERS", "two", "a whole number of at least 1"),
        ("SHUTDOWN_SECONDS", "1.5", "a whole number of at least 0"),
        ("REQUESTS_PER_MINUTE", "-3", "a whole number of at least 0"),
        ("WAIT_SECONDS", "0", "a finite number above 0"),
        ("WAIT_SECONDS", "nan", "a finite number above 0"),
        ("ANSWER_SECONDS", "inf", "a finite number above 0"),
        ("UPLOADS", "perhaps", "true or false"),
        ("LIMITS", "localhost:6379", "an address like redis://host:6379/0"),
        ("LOG_FORMAT", "xml", "auto or text or json"),
        ("TOKEN", "short", "32 to 63 lower-case letters and digits"),
    ],
)
def test_what_was_expected_is_said(monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str) -> None:
    monkeypatch.setenv(f"LAYERGLASS_{name}", value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert describe_errors(caught.value) == [f"LAYERGLASS_{name} is “{value}”, but must be {expected}."]


def test_origins_and_apps_may_frame_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAYERGLASS_FRAME_ANCESTORS", "http://localhost:* https://*.lab.example:8443  vscode-webview:")
    assert Settings().frame_ancestors == ("http://localhost:*", "https://*.lab.example:8443", "vscode-webview:")


@pytest.mark.parametrize(
    "value",
    ["*", "'self'", "http:", "https://a.example/path", "http://a;script-src", "http://a,http://b", "http://[::1]"],
)
def test_what_is_no_origin_may_not(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("LAYERGLASS_FRAME_ANCESTORS", value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    expected = "origins with spaces between, such as http://localhost:8888 https://draw.example"
    assert describe_errors(caught.value) == [f"LAYERGLASS_FRAME_ANCESTORS is “{value}”, but must be {expected}."]


def test_paths_that_are_right_are_not_missing(tmp_path: Path) -> None:
    (file := tmp_path / "m.keras").touch()
    assert describe_missing(Settings(models=(tmp_path,), model=(file,), state=tmp_path / "new")) == []


def test_a_process_reads_its_settings_once(monkeypatch: pytest.MonkeyPatch) -> None:
    get_settings.cache_clear()
    first = get_settings()
    monkeypatch.setenv("LAYERGLASS_PORT", "9001")
    assert get_settings() is first
    get_settings.cache_clear()


@pytest.mark.parametrize(
    ("host", "is_this_machine"),
    [
        ("127.0.0.1", True),
        ("127.3.2.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.0.5", False),
        ("localhost.example.org", False),
        ("", False),
    ],
)
def test_models_are_taken_where_only_this_machine_can_bring_them(host: str, is_this_machine: bool) -> None:
    assert is_loopback(host) is is_this_machine
    assert Settings(host=host).takes_models is is_this_machine
    assert Settings(host=host, uploads=True).takes_models
    assert not Settings(host=host, uploads=False).takes_models


@pytest.mark.parametrize("name", ["static", "templates"])
def test_the_app_s_own_folders_are_found(name: str) -> None:
    assert resource(name).is_dir()


def test_built_in_models_are_looked_for_beside_the_app() -> None:
    assert Settings().built_in_models == resource("models")
