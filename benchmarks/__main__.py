"""`python -m benchmarks [NAMES ...] [--quick] [--json PATH]`: run the named benchmarks, or all that need no file."""

import argparse
import importlib
import traceback

from benchmarks.figures import Figure, Measure, add_options, describe_machine, print_table, write_json

# By module name. Each module has measure(quick), which returns the figures.
BENCHMARKS = {
    "one_drawing": "a request, against its floor",
    "today": "a request, against the usual alternatives",
    "pen_to_picture": "from a pointer event to the last feature map painted, in Chromium",
    "many_people": "many clients drawing at once",
    "start_and_size": "time to the first answer, and memory",
    "growth": "cost against size of canvas, input and model",
}


def main() -> None:
    """Measure, print and optionally write the figures. A benchmark that fails does not stop the others."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    add_options(parser)
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"There is no benchmark {', '.join(sorted(unknown))}. There is: {', '.join(BENCHMARKS)}.")
    print(", ".join(f"{key}: {value}" for key, value in describe_machine().items()))
    results: dict[str, list[Figure]] = {}
    failed = False
    for name in options.names or BENCHMARKS:
        measure: Measure = importlib.import_module(f"benchmarks.{name}").measure
        try:
            results[name] = measure(options.quick)
            print_table(f"{name}: {BENCHMARKS[name]}", results[name])
        except Exception:
            failed = True
            traceback.print_exc()
    if options.json:
        write_json(options.json, results)
    raise SystemExit(failed)


if __name__ == "__main__":
    main()
