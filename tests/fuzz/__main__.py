"""`python -m tests.fuzz [--seconds 300] [--pictures N] [--seed N]`: fuzz pictures and model files, then each guided."""

import argparse
import importlib.util
import subprocess
import sys

from tests.fuzz import model_files, pictures

SHARES = (0.3, 0.4, 0.15, 0.15)  # of the time
GUIDED = ("-timeout=20", "-rss_limit_mb=4096", "-verbosity=0", "-print_final_stats=1")


def main() -> None:
    """Exit with 0 if nothing was found."""
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
        faults += run_guided("pictures", "tests.fuzz.guided", 4096, times[2])
        faults += run_guided("descriptions", "tests.fuzz.guided_models", 65_536, times[3])
    print("\n".join(["FAILED", *faults]) if faults else "PASSED")
    raise SystemExit(bool(faults))


def run_guided(what: str, module: str, longest: int, seconds: float) -> list[str]:
    """Fuzz with atheris, if it is installed, in a process of its own, which libFuzzer ends. longest: in bytes."""
    if importlib.util.find_spec("atheris") is None:
        print(f"{what}, guided: not run, atheris is not installed")
        return []
    options = [f"-max_total_time={max(1, round(seconds))}", f"-max_len={longest}", *GUIDED]
    done = subprocess.run([sys.executable, "-m", module, *options], capture_output=True, text=True, check=False)
    lines = [line for line in done.stderr.splitlines() if line.startswith("stat::number_of_executed_units")]
    print(f"{what}, guided:", *(lines or ["no statistics"]))
    if not done.returncode:
        return []
    return [f"The guided run of {what} ended with {done.returncode}:\n{done.stderr[-3000:]}"]


if __name__ == "__main__":
    main()
