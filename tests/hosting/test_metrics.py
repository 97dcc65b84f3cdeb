import os
import subprocess
import sys
from pathlib import Path

from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from tests.pictures import four_png
from tests.process import ROOT

PREDICTION = "/api/models/digits/prediction"


def samples(client: TestClient) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    response = client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(response.text)
    return {(each.name, frozenset(each.labels.items())): each.value for family in families for each in family.samples}


def test_a_request_is_counted_by_its_route_s_template(client: TestClient) -> None:
    route = ("route", "/api/models/{model}/prediction")
    answered = ("layerglass_requests_total", frozenset({("method", "POST"), route, ("status", "200")}))
    timed = ("layerglass_request_seconds_count", frozenset({route}))
    computed = ("layerglass_computation_seconds_count", frozenset({route}))
    before = samples(client)
    assert client.post(PREDICTION, files={"drawing": four_png()}).status_code == 200
    after = samples(client)
    for name in (answered, timed, computed):
        assert after[name] == before.get(name, 0) + 1


def test_an_address_that_is_none_makes_no_series_of_its_own(client: TestClient) -> None:
    client.get("/made/up/by/somebody")
    assert "somebody" not in client.get("/metrics").text


def test_what_is_under_way_is_none_when_nothing_is_asked(client: TestClient) -> None:
    nothing = frozenset[tuple[str, str]]()
    now = samples(client)
    assert (now["layerglass_running", nothing], now["layerglass_waiting", nothing]) == (0, 0)
    assert now["process_resident_memory_bytes", nothing] > 0


def test_a_worker_that_is_gone_has_nothing_under_way(tmp_path: Path) -> None:
    """What a process leaves behind that was killed in the middle of a computation."""
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    def run(program: str) -> str:
        command = [sys.executable, "-c", f"from app.hosting import metrics\n{program}"]
        return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout

    run("import os; metrics.RUNNING.inc(); metrics.REFUSED.labels('queue full').inc(); os._exit(0)")
    assert list(tmp_path.glob("gauge_livesum_*.db"))
    text = run("metrics.RUNNING.inc(); print(metrics.expose().decode())")
    assert "layerglass_running 1.0" in text
    assert 'layerglass_refused_total{reason="queue full"} 1.0' in text
