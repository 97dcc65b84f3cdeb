"""One warm POST of a drawing to feature-maps, against the bare forward pass and the encoding of the same grids.

Both are measured in one process, alternately, so that the machine's mood falls on both alike.
"""

import statistics
import time
from collections.abc import Callable

from fastapi.testclient import TestClient

from app.explorer import Look, Part, layer_grid, see
from app.imaging.samples import draw_sample
from app.main import create_app

ROUNDS = 300


def measure() -> dict[str, float]:
    """Milliseconds, medians of ROUNDS, and their ratio."""
    app = create_app()
    with TestClient(app, base_url="http://localhost") as client:
        network = app.state.library.default
        drawing = draw_sample("7")
        image = see(drawing, network.card)

        def post() -> None:
            answer = client.post(f"/api/models/{network.name}/feature-maps", files={"drawing": drawing})
            assert answer.status_code == 200

        def bare() -> None:
            forward = network.run(image)
            for layer in network.feature_map_layers:
                layer_grid(forward, Part(layer), Look())

        times: dict[Callable[[], None], list[float]] = {post: [], bare: []}
        for _ in range(ROUNDS):
            for each, taken in times.items():
                start = time.perf_counter()
                each()
                taken.append((time.perf_counter() - start) * 1000)
    request, floor = (statistics.median(taken) for taken in times.values())
    pairs = [a / b for a, b in zip(*times.values(), strict=True)]
    return {"request": request, "floor": floor, "ratio": statistics.median(pairs)}


def main() -> None:
    """Print the figures."""
    figures = measure()
    print(f"POST to feature-maps           {figures['request']:6.2f} ms")
    print(f"forward pass and PNG encoding  {figures['floor']:6.2f} ms")
    print(f"ratio                          {figures['ratio']:6.2f}")


if __name__ == "__main__":
    main()
