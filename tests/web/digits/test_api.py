"""Models run over real digits, by REST."""

import http.client
import io
import json
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from app.cnn.types import PoolingMode
from app.datasets.digits import load_test_digits
from app.explore.evaluation import evaluate
from app.library.library import Library
from tests.process import ROOT, Process

PATH = "/api/models/digits/evaluation"


def post(client: TestClient, model: str = "digits", **form: Any) -> tuple[int, dict[str, Any]]:
    answer = client.post(f"/api/models/{model}/evaluation", data=form)
    return answer.status_code, answer.json()


def test_it_tells_what_the_service_finds(client: TestClient, library: Library) -> None:
    status, answer = post(client, count="200", pooling="min", invert="true")
    found = evaluate(library.network("digits"), load_test_digits().take(slice(200)), PoolingMode.MIN, invert=True)
    assert status == 200
    assert (answer["model"], answer["pooling"], answer["invert"]) == ("digits", "min", True)
    assert (answer["set"], answer["count"]) == ("test", 200)
    assert answer["accuracy"] == found.accuracy
    assert answer["confusion"] == found.confusion.tolist()
    assert [each["label"] for each in answer["classes"]] == list("0123456789")
    assert [each["count"] for each in answer["classes"]] == found.confusion.sum(axis=1).tolist()
    assert answer["calibration"]["error"] == found.calibration_error()
    assert sum(each["count"] for each in answer["calibration"]["bins"]) == 200
    assert answer["seconds"] > 0


def test_digits_of_some_classes_and_of_the_training_set(client: TestClient) -> None:
    _, answer = post(client, set="training", digits=["3", "8"], count="50")
    assert answer["set"] == "training"
    counts = {each["label"]: each["count"] for each in answer["classes"]}
    assert counts["3"] + counts["8"] == 50 and counts["0"] == 0
    assert answer["classes"][0]["accuracy"] is None


def test_another_look_costs_no_new_run(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    first = post(client, count="123")

    def refuse(*_: Any) -> None:
        raise AssertionError("it runs again")

    monkeypatch.setattr("app.explore.digit_runs.run_side_by_side", refuse)
    assert post(client, count="123") == first
    assert post(client, count="123", pooling="max") == first  # as trained


def test_progress_is_told_in_events(client: TestClient) -> None:
    answer = client.post(PATH, data={"count": 77, "progress": "true"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-accel-buffering"] == "no"
    events = [dict(line.split(": ", 1) for line in event.splitlines()) for event in answer.text.strip().split("\n\n")]
    *told, (name, result) = [(event["event"], json.loads(event["data"])) for event in events]
    assert {kind for kind, _ in told} == {"progress"} and all(each["of"] == 77 for _, each in told)
    assert name == "result" and result == post(client, count="77")[1]


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"count": "0"}, "“count”: Input should be greater than or equal to 1. Received: “0”."),
        ({"count": "1000000000"}, "Ask for 1 to 10,000 digits: the test set has so many. Received: 1,000,000,000."),
        ({"count": "6001", "set": "training"}, "Ask for 1 to 6,000 digits: the training set has so many."),
        ({"count": "2000", "digits": "3"}, "Ask for 1 to 1,010 digits: the test set has so many of these."),
        ({"set": "mnist"}, "“set”: Input should be 'test' or 'training'. Received: “mnist”."),
        ({"digits": "12"}, "“digits.0”: Input should be less than or equal to 9."),
        ({"pooling": "median"}, "“pooling”: Input should be"),
    ],
)
def test_what_cannot_be_is_said(client: TestClient, form: dict[str, str], sentence: str) -> None:
    status, problem = post(client, **form)
    assert status == 422 and problem["detail"].startswith(sentence)


def test_a_model_that_cannot_be_tried_says_why(client: TestClient) -> None:
    assert post(client, "nix")[0] == 404
    status, problem = post(client, "picture", count="1")
    assert status == 422
    assert problem["detail"] == (
        "The model “picture” cannot be tried on digits: its answer is not one of several classes."
    )
    status, problem = post(client, "logistic", count="1")
    assert status == 422 and "its classes are not the digits 0 to 9" in problem["detail"]


def test_a_digit_is_drawn_black_on_white(client: TestClient) -> None:
    answer = client.get("/api/digits/test/7.png")
    assert answer.headers["content-type"] == "image/png" and "max-age" in answer.headers["cache-control"]
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert np.array_equal(255 - np.asarray(picture), load_test_digits().images[7])


@pytest.mark.parametrize(
    ("path", "status"),
    [("test/10000", 404), ("test/-1", 404), ("training/6000", 404), ("no/1", 422), ("test/one", 422)],
)
def test_a_digit_that_is_not_there_is_refused(client: TestClient, path: str, status: int) -> None:
    answer = client.get(f"/api/digits/{path}.png")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A server with the models that come with Layerglass."""
    process = Process(ROOT / "models", tmp_path_factory.mktemp("server"), answer_seconds="60", long_seconds="20")
    try:
        yield process.wait()
    finally:
        process.stop()


def begin(server: Process, model: str, **form: str) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    """Begin a run with progress, and read its answer's head."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", f"/api/models/{model}/evaluation", urlencode({**form, "progress": "true"}), headers)
    return connection, connection.getresponse()


def running(server: Process) -> float:
    lines = server.get("/metrics")[2].decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("layerglass_running "))


def until_nothing_runs(server: Process, seconds: float = 2) -> None:
    deadline = time.monotonic() + seconds
    while running(server):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_end_of_the_connection_ends_the_run(server: Process) -> None:
    connection, answer = begin(server, "digits", pooling="average")
    assert answer.status == 200 and answer.readline() == b"event: progress\n"
    assert running(server) == 1
    answer.close()
    connection.close()
    until_nothing_runs(server)
    # It was not finished: asked again, it starts from the beginning.
    connection, answer = begin(server, "digits", pooling="average")
    answer.readline()
    assert b'{"done": 0, ' in answer.readline()
    answer.close()
    connection.close()
    until_nothing_runs(server)


def test_two_visitors_do_not_wait_for_each_other(server: Process) -> None:
    """A run over 300 digits ends while one over 10,000 goes on."""
    connection, answer = begin(server, "digits", pooling="min")
    answer.readline()
    other, short = begin(server, "digits-min", count="300")
    assert b"event: result" in short.read()
    assert running(server) == 1
    for each in (answer, connection, other):
        each.close()
    until_nothing_runs(server)


def test_drawings_are_answered_while_it_runs(server: Process, four: bytes) -> None:
    connection, answer = begin(server, "digits-average")
    answer.readline()
    seconds = []
    for _ in range(20):
        start = time.perf_counter()
        status, _, _ = server.post_drawing("/api/models/digits/feature-maps", four)
        seconds.append(time.perf_counter() - start)
        assert status == 200
    assert running(server) == 1
    assert np.median(seconds) < 0.25  # of the busiest machine; 6 ms on an idle one
    answer.close()
    connection.close()
    until_nothing_runs(server)


def test_who_asks_for_the_same_shares_one_run(server: Process) -> None:
    results: list[bytes] = []

    def ask() -> None:
        connection, answer = begin(server, "digits-min", count="2500")
        results.append(answer.read().split(b"event: result")[1])
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(results)) == 1  # the seconds, too
    assert len(results) == 6
