"""How long a built-in network takes to be edited, saved, and tried on the 10,000 test digits before and after.

python -m benchmarks.edits [--digits 10000]
"""

import argparse
from pathlib import Path
from time import perf_counter, process_time

from app.cnn.edits import Edits
from app.cnn.network import Network
from app.explore.digit_runs import DigitRun
from app.explore.evaluation import NotForDigits
from app.library.library import Library
from app.model_files.writing import write_keras_file

MODELS = Path(__file__).parent.parent / "models"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--digits", type=int, default=10_000)
    count = parser.parse_args().digits
    library = Library(MODELS)
    print(
        "model                     edited      saved   both runs       the edited one alone, in brackets processor time"
    )
    for entry in library:
        network = library.network(entry.name)
        try:
            print(f"{entry.name:24}", *measure(network, count))
        except NotForDigits as reason:
            print(f"{entry.name:24} {reason}")


def measure(network: Network, count: int) -> list[str]:
    """Return the time of each step, in words."""
    layer = next(layer for layer in network.layers if layer.can_mute)
    edits = Edits.parse(f"mute:{layer.name.replace('.', '%2E')}.0")
    start = perf_counter()
    edited = network.edited(edits)
    made = perf_counter()
    write_keras_file(edited.definition, {}).close()
    saved = perf_counter()
    run = DigitRun(edited, count=count, whole=network, edits=edits)
    began = process_time()
    both = run.compute()
    then = process_time()
    alone = run.compute(before=both.before)
    milliseconds = [f"{1000 * each:6.1f} ms" for each in (made - start, saved - made)]
    spent = then - began, process_time() - then
    return [
        *milliseconds,
        *(f"{each.seconds:6.2f} s ({cpu:.2f})" for each, cpu in zip((both, alone), spent, strict=True)),
    ]


if __name__ == "__main__":
    main()
