#!/usr/bin/env python3
"""kizashi doctor, as an operator meets it."""

import datetime
import json
import os
import socket
import subprocess

from tap import KIZASHI, main, says

# Loading half a gigabyte again and again proves nothing: the C library that this program uses stands for it.
ANY_LIBRARY = next(line.split()[-1] for line in open("/proc/self/maps") if "/libc.so" in line or "/libc-" in line)


def doctor(*words, **environment):
    """Exit status and the checks by name."""
    run = subprocess.run([KIZASHI, "doctor", "--json", *words], capture_output=True, text=True,
                         env={**os.environ, "KIZASHI_CHDB": ANY_LIBRARY, **environment})
    return run.returncode, {row["check"]: row for row in json.loads(run.stdout)} if run.stdout else run.stderr


@says("doctor looks at everything, and tells how to mend what is not ok")
def rows_are_whole(folder):
    _, checks = doctor("--data", folder)
    names = ["store library", "countries", "networks", "capture", "interfaces", "address", "portal", "message server",
             "data folder", "disk", "memory", "open files", "clock"]
    assert list(checks) == names, list(checks)
    for row in checks.values():
        assert row["state"] in ("ok", "warn", "fail") and row["found"], row
        assert (row["mend"] is None) == (row["state"] == "ok"), row


@says("doctor's status is 1 exactly if a check fails")
def status_follows(folder):
    for words in ((), ("--listen", "nowhere:1")):
        status, checks = doctor("--data", folder, *words)
        assert status == any(row["state"] == "fail" for row in checks.values()), (status, checks)


@says("an address that is taken is named")
def address_in_use(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        status, checks = doctor("--data", folder, "--listen", address)
    assert status == 1 and checks["address"]["state"] == "fail", checks["address"]
    assert address in checks["address"]["found"] and "listens there" in checks["address"]["found"]


@says("a library of the store that is missing or broken is named")
def library_broken(folder):
    path = os.path.join(folder, "libchdb.so")
    with open(path, "wb") as file:
        file.write(b"\x7fELF and no more")
    status, checks = doctor("--data", folder, "--library", path)
    assert status == 1 and "does not load" in checks["store library"]["found"], checks["store library"]
    status, checks = doctor("--data", folder, KIZASHI_CHDB=path + ".none")
    assert status == 1 and "script/bootstrap" in checks["store library"]["mend"], checks["store library"]


@says("a data folder that is a file is named")
def data_is_file(folder):
    path = os.path.join(folder, "file")
    open(path, "w").close()
    status, checks = doctor("--data", path)
    assert status == 1 and checks["data folder"]["found"] == f"{path} is not a folder", checks["data folder"]


@says("a database that is broken is named")
def database_broken(folder):
    path = os.path.join(folder, "geoip")
    with open(path, "w") as file:
        file.write("no,such\n")
    status, checks = doctor("--data", folder, "--geo-db", path)
    assert status == 1 and path in checks["countries"]["found"], checks["countries"]


@says("a database of more than a year ago is warned of by its age, one of today is not")
def database_old(folder):
    path, today = os.path.join(folder, "geoip"), datetime.date.today()
    for date, old in ((datetime.date(2020, 2, 3), True), (today, False)):
        with open(path, "w") as file:
            file.write(f"# Generated: {date:%a, %d %b %Y} 04:33:59 GMT\n16777216,16777471,AU\n")
        _, checks = doctor("--data", folder, "--geo-db", path)
        found = checks["countries"]["found"]
        assert f"of {date} from {path}" in found, found
        # What the file leaves open, countries of IPv6, may come from this machine's own.
        assert ("days old" in found and checks["countries"]["state"] == "warn") if old else (
            "days old" not in found or "geoip6" in found), checks["countries"]
        assert "--geo-db" in checks["countries"]["mend"] if old else True


@says("doctor makes no folder")
def changes_nothing(folder):
    data = os.path.join(folder, "new")
    _, checks = doctor("--data", data)
    assert checks["data folder"]["found"].startswith(f"{data} can be made"), checks["data folder"]
    assert not os.path.exists(data)


@says("without --json every line begins with its state")
def lines_for_people(folder):
    run = subprocess.run([KIZASHI, "doctor", "--data", folder], capture_output=True, text=True)
    for line in run.stdout.splitlines():
        assert line.split()[0] in ("ok", "warn", "fail", "to"), line


if __name__ == "__main__":
    main()
