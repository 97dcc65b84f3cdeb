"""What the lab's operations take and what they do to a photograph of 1200×1600 pixels: `python -m benchmarks.lab`."""

import statistics
from collections.abc import Callable
from time import perf_counter

from app.lab.chain import OPERATIONS, Chain, default_step, read_chain
from app.lab.laboratory import Laboratory, Stage
from app.lab.planes import Planes
from app.library.kept import Kept

RUNS = 9
CHAINS = (
    "max,convolution,activation,max",
    "convolution,activation,max,max",
    "average,average,average,average",
    "convolution:kernel=random:size=5,activation,average,max",
)


def measure(compute: Callable[[], object], runs: int = RUNS) -> tuple[float, float]:
    """Return the shortest and the median time in milliseconds, after one run that is not counted."""
    compute()
    times = []
    for _ in range(runs):
        start = perf_counter()
        compute()
        times.append(1000 * (perf_counter() - start))
    return min(times), statistics.median(times)


def run(chain: Chain, planes: Planes) -> Planes:
    for step in chain:
        planes = step.compute(planes)
    return planes


def describe(stage: Stage) -> str:
    """Return a row of what a step did: pixels left, neighbours, energy, a shift, and the picture enlarged again."""
    before, numbers, enlarged = stage.before, stage.statistics, stage.enlarged
    assert before is not None and enlarged is not None and stage.change_under_shift is not None
    neighbours = f"{numbers.neighbours:.3f}"
    energy = f"{numbers.energy / before.statistics.energy:.3f}"
    return f"{neighbours} | {energy} | {stage.change_under_shift:.1%} | {enlarged.rmse:.4f} | {enlarged.psnr:.1f}"


def main() -> None:
    laboratory = Laboratory(Kept())
    source = laboratory.sample("raccoon")
    planes = laboratory.open(source).planes
    print("| Chain | shortest, ms | median, ms |")
    for text in CHAINS:
        chain = read_chain(text)
        print("| {} | {:.0f} | {:.0f} |".format(text, *measure(lambda chain=chain: run(chain, planes))))  # type: ignore[misc]
    print("\n| Operation | ms | neighbours agree | energy, × | a pixel's shift changes | RMSE | PSNR, dB |")
    for name in OPERATIONS:
        step = default_step(name)
        shortest, _ = measure(lambda step=step: step.compute(planes), 3)  # type: ignore[misc]
        row = describe(laboratory.run(source, (step,))[-1]) if step.is_pooling else "| | | |"
        print(f"| {step.title} | {shortest:.1f} | {row} |")


if __name__ == "__main__":
    main()
