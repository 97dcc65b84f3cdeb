import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app import __version__


def test_health_says_alive_and_the_version(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "alive", "version": __version__}


def test_ready_once_the_networks_are_loaded(client: TestClient) -> None:
    assert client.get("/ready").json() == {"status": "ready", "version": __version__}


def test_not_ready_before_or_while_stopping(client: TestClient, app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.state, "ready", False)
    response = client.get("/ready")
    assert response.status_code == 503
    assert response.headers["retry-after"] == "5"
    assert response.json()["detail"] == (
        "The networks are not loaded, or the server is stopping. Try again in 5 seconds."
    )
    assert client.get("/health").status_code == 200
