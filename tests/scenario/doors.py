#!/usr/bin/env python3
"""What the front doors in script/ share, as a person at a terminal meets it."""

import os
import pathlib
import subprocess

from tap import main, says

TOP = pathlib.Path(__file__).resolve().parents[2]


def quietly(folder, command):
    """What `quietly` says about a command, and the log."""
    log = os.path.relpath(os.path.join(folder, "step.log"), TOP)
    run = subprocess.run(["bash", "-c", f'. script/lib.sh; quietly "a step" "{log}" {command}', "door"], cwd=TOP,
                         capture_output=True, text=True)
    return run, (TOP / log).read_text()


@says("a step that succeeds is one line with the time it took")
def success_is_one_line(folder):
    run, log = quietly(folder, "bash -c 'for i in $(seq 100); do echo compile $i; done'")
    assert run.returncode == 0 and not run.stdout, run
    assert run.stderr.startswith("== a step ... done in ") and len(run.stderr.splitlines()) == 1, run.stderr
    assert len(log.splitlines()) == 100, log


@says("a step that fails shows what failed, and names the log with all of it")
def failure_names_the_log(folder):
    run, log = quietly(folder, "bash -c 'echo [1/2] fine; echo FAILED: x.o; echo x.c:1: error; exit 1'")
    assert run.returncode == 1, run
    assert "x.c:1: error" in run.stderr and "step.log" in run.stderr.splitlines()[-1], run.stderr
    assert "fine" not in run.stderr and "fine" in log, run.stderr


if __name__ == "__main__":
    main()
