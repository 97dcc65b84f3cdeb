"""Four attackers with hostile models, and one visitor who draws on `digits`.

    python -m benchmarks.attackers --seconds 300

The models are valid files of 1 KB to 2 MB that open in a second and are costly to run: at a large size, with large
windows, in every pooling. The visitor must get every answer, soon; the server must stay small, and none of its own
processes may end. Exits with 0 if all this holds, else with 1.
"""

import argparse
import http.client
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import keras
import psutil
from keras import layers

from app.imaging.drawing import draw_strokes
from app.imaging.encoding import encode_image
from benchmarks.http_client import BOUNDARY, PAGE, PAGE_FIELDS, Client, post, request
from benchmarks.serving import Server

ATTACKERS = 4
SIDES = (280, 512, 700, 1024)
P99_SECONDS, HEALTH_SECONDS, SERVER_BYTES = 0.5, 0.1, 600 * 2**20
POOLINGS = ("max", "average", "min")
PATHS = ("prediction", "feature-maps", "activations.npz", "comparison")


def main() -> None:
    """Run the attack and print what happened, with a verdict."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attackers", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    with Server() as server:
        scene = Scene(server, options.seconds)
        scene.play()
        log = server.log
    faults = scene.faults()
    if "Traceback" in log:
        faults.append(f"The server's log has a traceback:\n{log[log.index('Traceback') - 200 :][:3000]}")
    print("\n".join(["FAILED", *faults]) if faults else "PASSED")
    raise SystemExit(bool(faults))


class Scene:
    """Who does what, and what came of it."""

    def __init__(self, server: Server, seconds: float) -> None:
        self.server = server
        self.until = time.monotonic() + seconds
        self.drawn: list[float] = []  # seconds of the visitor's answers
        self.healthy: list[float] = []  # of /health
        self.answers: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.most_bytes = self.most_worker_bytes = 0
        self._lock = threading.Lock()

    def play(self) -> None:
        """Let everybody act until the time is up, and print the figures."""
        models = make_models()
        roles: list[Callable[[], None]] = [self.visit, self.look_after, self.watch]
        roles += [lambda number=number: self.attack(number, models) for number in range(ATTACKERS)]  # type: ignore[misc]
        threads = [threading.Thread(target=role) for role in roles]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for what, times in (("digits", self.drawn), ("/health", self.healthy)):
            shares = ", ".join(f"p{share} {1000 * percentile(times, share):.0f} ms" for share in (50, 95, 99, 100))
            print(f"{what}: {len(times):,} answers, {shares}")
        print("attackers: " + ", ".join(f"{what}: {count:,}" for what, count in self.answers.most_common()))
        for sentence, count in self.refusals.most_common(12):
            print(f"  {count:,} times {sentence}")
        print(f"server {self.most_bytes / 2**20:.0f} MB, largest worker {self.most_worker_bytes / 2**20:.0f} MB")

    def faults(self) -> list[str]:
        """Return what should not have happened."""
        faults = self.wrong[:20]
        if percentile(self.drawn, 99) > P99_SECONDS:
            faults.append("The visitor waited too long.")
        if percentile(self.healthy, 99) > HEALTH_SECONDS:
            faults.append("/health was late.")
        if self.most_bytes > SERVER_BYTES:
            faults.append("The server took too much memory.")
        return faults

    def visit(self) -> None:
        """Draw on digits, as the page does: one request at a time, fifty a second at most."""
        chance = random.Random(0)
        with Client(self.server.port) as client:
            while time.monotonic() < self.until:
                drawing = encode_image(draw_strokes([[(chance.uniform(40, 240), chance.uniform(40, 240))] * 2] * 3))
                begun = time.perf_counter()
                answer = client.send(post(PAGE, drawing, PAGE_FIELDS.items()))
                self.drawn.append(time.perf_counter() - begun)
                if answer.status != 200:
                    self._blame(f"The visitor got {answer.status}: {answer.body[:200]!r}")
                time.sleep(max(0.0, 0.02 - (time.perf_counter() - begun)))

    def look_after(self) -> None:
        """Ask whether the server is alive, ten times a second."""
        with Client(self.server.port) as client:
            while time.monotonic() < self.until:
                begun = time.perf_counter()
                client.send(request("GET", "/health"))
                self.healthy.append(time.perf_counter() - begun)
                time.sleep(0.1)

    def watch(self) -> None:
        """Note the most memory of the server and of a worker."""
        while time.monotonic() < self.until:
            own, *others = self.server.processes()
            self.most_bytes = max(self.most_bytes, own.memory_info().rss)
            for other in others:
                try:
                    self.most_worker_bytes = max(self.most_worker_bytes, other.memory_info().rss)
                except psutil.Error:
                    continue
            time.sleep(0.05)

    def attack(self, number: int, models: dict[str, bytes]) -> None:
        """Upload the models, and have them run on large drawings in every way."""
        chance = random.Random(number)
        names: list[str] = []
        while time.monotonic() < self.until:
            try:
                if len(names) < len(models) and chance.random() < 0.3:
                    kind = list(models)[len(names)]
                    strike = post("/api/models", models[kind], (), "model", f"{kind}-{number}.keras")
                    names.append(f"{kind}-{number}")
                else:
                    strike = self._strike(chance, chance.choice(names or ["digits"]))
                status, body = self._send(strike)
            except (OSError, http.client.HTTPException) as error:
                self._blame(f"An attacker's connection ended: {error!r}")
                continue
            with self._lock:
                self.answers[str(status)] += 1
            if status == 500:
                self._blame(f"An attacker got 500: {body[:300]!r}")
            if status == 422:
                self.refusals[body.decode(errors="replace")[:250]] += 1

    def _send(self, data: bytes) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)
        try:
            head, _, body = data.partition(b"\r\n\r\n")
            method, path, _ = head.decode().split(" ", 2)
            content_type = f"multipart/form-data; boundary={BOUNDARY}"
            connection.request(method, path, body, {"Content-Type": content_type})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _strike(self, chance: random.Random, name: str) -> bytes:
        side = chance.choice(SIDES)
        drawing = encode_image(draw_strokes([[(9, 9), (side - 9, side - 9)]], side, side / 20))
        path, fields = chance.choice(PATHS), [("pooling", chance.choice(POOLINGS))]
        if chance.random() < 0.3:
            return post(PAGE, drawing, [*fields, ("model", name)])
        return post(f"/api/models/{name}/{path}", drawing, [] if path == "comparison" else fields)

    def _blame(self, fault: str) -> None:
        with self._lock:
            self.wrong.append(fault)


def percentile(times: list[float], share: float) -> float:
    """Return the time that this share of all, in percent, does not exceed."""
    return sorted(times)[min(len(times) - 1, int(len(times) * share / 100))]


def make_models() -> dict[str, bytes]:
    """Return the attackers' files, by their names."""
    any_size = keras.Input((None, None, 1))
    wide = layers.Conv2D(64, 3, padding="same", activation="relu")
    made = {
        "denoiser": _chain(any_size, [wide, *(_like(wide) for _ in range(15)), layers.Conv2D(1, 3, padding="same")]),
        "windows": _chain(any_size, [layers.MaxPooling2D(256, 1, "same")]),
        "many-windows": _chain(any_size, [layers.MaxPooling2D(64, 1, "same") for _ in range(20)]),
        "kernels": _chain(any_size, [layers.Conv2D(4, 128, padding="same")]),
        "filters": _chain(any_size, [layers.Conv2D(2048, 1), layers.LayerNormalization()]),
        "enlarged": _chain(any_size, [layers.UpSampling2D(8), layers.UpSampling2D(8)]),
        "deep": _chain(any_size, [layers.ReLU() for _ in range(400)]),
        "transposed": _chain(any_size, [layers.Conv2DTranspose(32, 9, strides=8), layers.AveragePooling2D(8, 1)]),
        "adaptive": _chain(any_size, [layers.AdaptiveMaxPooling2D(200)]),
        "large": _chain(keras.Input((2048, 2048, 1)), [layers.Conv2D(7, 3), layers.MaxPooling2D(3, 1)]),
        "dense": _chain(keras.Input((700, 700, 1)), [layers.Flatten(), layers.Dense(1)]),
    }
    return {name: _file(model) for name, model in made.items()}


def _like(layer: layers.Layer) -> layers.Layer:
    return type(layer).from_config({**layer.get_config(), "name": None})


def _chain(image: keras.KerasTensor, kinds: list[layers.Layer]) -> keras.Model:
    made = image
    for kind in kinds:
        made = kind(made)
    return keras.Model(image, made)


def _file(model: keras.Model) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.keras"
        model.save(path)
        return path.read_bytes()


if __name__ == "__main__":
    main()
