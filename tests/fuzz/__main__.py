"""`python -m tests.fuzz [--seconds 300] [--pictures N] [--seed N]`: pictures, model files, then pictures guided."""

import argparse
import importlib.util
import subprocess
import sys

from tests.fuzz import model_files, pictures

SHARES = (0.35, 0.45, 0.2)  # of the time
GUIDED = ("-max_len=4096", "-timeout=20", "-rss_limit_mb=4096", "-verbosity=0", "-print_final_stats=1")


def main() -> None:
    """Exit status 0: nothing was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--pictures", type=int, help="as many, however long they take, and nothing else")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.pictures:
        faults = pictures.fuzz(options.pictures, float("inf"), options.seed)
    else:
        times = [share * options.seconds for share in SHARES]
        faults = pictures.fuzz(sys.maxsize, times[0], options.seed) + model_files.fuzz(times[1], options.seed)
        faults += run_guided(times[2])
    print("\n".join(["FAILED", *faults]) if faults else "PASSED")
    raise SystemExit(bool(faults))


def run_guided(seconds: float) -> list[str]:
    """Where atheris is installed: in a process of its own, which libFuzzer ends."""
    if importlib.util.find_spec("atheris") is None:
        print("pictures, guided: not run, atheris is not installed")
        return []
    command = [sys.executable, "-m", "tests.fuzz.guided", f"-max_total_time={max(1, round(seconds))}", *GUIDED]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line for line in done.stderr.splitlines() if line.startswith("stat::number_of_executed_units")]
    print("pictures, guided:", *(lines or ["no statistics"]))
    return [f"The guided run ended with {done.returncode}:\n{done.stderr[-3000:]}"] if done.returncode else []


if __name__ == "__main__":
    main()
