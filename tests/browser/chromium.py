"""The browser that the tests drive: an installed Chromium or Chrome, else Playwright's own, else Debian's package.

`python -m tests.browser.chromium` installs one where there is none.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

# The first of them is Chromium without its windows, which opens a page with half of the work.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
MISSING = (
    "The browser tests need Chromium or Chrome, and none is installed. Neither Playwright's download nor Debian's "
    "package could be had here; install a Chromium, so that `chromium` is on the PATH, and run the tests again."
)
ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A window's address bar is made of two pages, which take longer to start than the page under test. Of several such
    # lists the last one counts, so what Playwright turns off is here again as far as it matters.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,AimEnabled,AvoidUnnecessaryBeforeUnloadCheckSync,"
    "DestroyProfileOnBrowserClose,HttpsUpgrades,MediaRouter,OptimizationHints,PaintHolding",
    # Chromium refuses to run as root inside its own sandbox.
    *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
]


def find() -> str | None:
    """The path of a Chromium that can be started, or None."""
    installed = next((path for name in NAMES if (path := shutil.which(name))), None)
    return installed or next((str(path) for path in (MAC, _playwrights_own()) if path.is_file()), None)


def _playwrights_own() -> Path:
    # In a process of its own: Playwright's synchronous API cannot be used twice side by side.
    program = "from playwright.sync_api import sync_playwright as p\nwith p() as it: print(it.chromium.executable_path)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    return Path(answer.stdout.strip() or "/nowhere")


def _install() -> None:
    if _try([sys.executable, "-m", "playwright", "install", "chromium"]) and find():
        return
    if shutil.which("apt-get"):
        root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        _try([*root, "apt-get", "update", "-qq"])
        for package in ("chromium-headless-shell", "chromium"):
            if _try([*root, "apt-get", "install", "-y", "-qq", package]):
                return


def _try(command: list[str]) -> bool:
    print(f"Looking for a browser: {' '.join(command)}", flush=True)
    try:
        return subprocess.run(command, check=False, timeout=600, stdout=subprocess.DEVNULL).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


if __name__ == "__main__":
    if not find():
        _install()
    print(f"The browser tests use {find()}." if find() else MISSING)
