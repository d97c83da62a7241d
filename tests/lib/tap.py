"""Sentences about the real binary: each function that is decorated with @says is one test.

Run by meson as `python3 test_x.py`; $PYTHONPATH has this folder, $KIZASHI is the binary, $KIZASHI_TEST_DATA the folder
of real captures (may be unset). Output is TAP."""

import os
import shutil
import subprocess
import sys
import tempfile
import traceback

KIZASHI = os.environ.get("KIZASHI", "build/src/cmd/kizashi")
_tests = []


class Skip(Exception):
    """Raised by a test whose input is not there."""


def says(sentence):
    def note(function):
        _tests.append((sentence, function))
        return function
    return note


def data(name):
    """Path of a real capture; skips the test if it is not there."""
    folder = os.environ.get("KIZASHI_TEST_DATA")
    path = os.path.join(folder or "", name)
    if not folder or not os.path.exists(path):
        raise Skip(f"no test data {name}")
    return path


def run(*arguments, stdin=None, timeout=120, env=None):
    """The finished process, with its output as text."""
    return subprocess.run([KIZASHI, *map(str, arguments)], input=stdin, capture_output=True, timeout=timeout,
                          text=not isinstance(stdin, bytes), env={**os.environ, **(env or {})}, check=False)


def same(got, expected, what=""):
    assert got == expected, f"{what} {got!r} is not {expected!r}"


def holds(text, part):
    assert part in text, f"{part!r} is not in {text!r}"


def main(given=None):
    """Each test gets what is `given` to all, or else a new folder, which is removed after it."""
    failed = 0
    print(f"1..{len(_tests)}")
    for number, (sentence, function) in enumerate(_tests, 1):
        folder = tempfile.mkdtemp(prefix="kizashi-e2e-")
        try:
            function(folder if given is None else given)
            print(f"ok {number} - {sentence}", flush=True)
        except Skip as skip:
            print(f"ok {number} - {sentence} # SKIP {skip}", flush=True)
        except Exception:  # noqa: BLE001 - any failure is a failed test
            failed += 1
            print(f"not ok {number} - {sentence}", flush=True)
            for line in traceback.format_exc().splitlines():
                print(f"# {line}", flush=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if failed else 0)
