"""The browser that the tests of pages use: one that is there, or one that is installed.

``python -m tests.chromium`` sees that there is one. It takes Playwright's own build, and where its
download is out of reach the distribution's.
"""

import contextlib
import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

NAMED_BY = "DERMSERVE_TEST_CHROMIUM"
"""The environment variable that names another one."""

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
_INSTALL_WITHIN_S = 600
_STARTED_WITHIN_MS = 180_000

# What a browser would otherwise ask of the network on its own account.
_QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def main() -> None:
    """See that there is a browser; say so where there is none, and why."""
    for have_one in (_from_playwright, _from_debian):
        if found() is not None:
            return
        have_one()
        found.cache_clear()
    if found() is not None:
        return
    sys.stderr.write(
        f"No Chromium could be had: tests of pages are skipped. Name one: {NAMED_BY}\n"
    )


@functools.cache
def found() -> str | None:
    """Return where a browser is; None where there is none."""
    names = filter(None, (os.environ.get(NAMED_BY), *_NAMES))
    return next(filter(None, map(shutil.which, names)), None) or _of_playwright()


@contextlib.contextmanager
def launched() -> Iterator[Browser]:
    """Run the browser.

    Raises:
        RuntimeError: there is none.

    """
    path = found()
    if path is None:
        message = f"there is no Chromium: name one by {NAMED_BY}"
        raise RuntimeError(message)
    with sync_playwright() as playwright:
        # Its sandbox does not start for root.
        browser = playwright.chromium.launch(
            executable_path=path,
            chromium_sandbox=os.geteuid() != 0,
            args=[*_QUIET],
            timeout=_STARTED_WITHIN_MS,
        )
        yield browser
        browser.close()


def _of_playwright() -> str | None:
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def _from_playwright() -> None:
    playwright = [sys.executable, "-m", "playwright"]
    if _try([*playwright, "install", "chromium"]) and os.geteuid() == 0:
        _try([*playwright, "install-deps", "chromium"])


def _from_debian() -> None:
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _try(["apt-get", "update", "-qq"])
        _try(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"])


def _try(command: Sequence[str]) -> bool:
    """Run a command; say whether it went well."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command,
            env=environment,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_INSTALL_WITHIN_S,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


if __name__ == "__main__":
    main()
