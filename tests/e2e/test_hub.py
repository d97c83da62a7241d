"""kizashi hub on real captures, and the commands that ask it."""

import calendar
import csv
import fcntl
import functools
import http.server
import io
import json
import os
import pty
import re
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import termios
import threading
import time
import urllib.error
import urllib.request

from tap import KIZASHI, Skip, data, holds, main, run, same, says

SLP = "pcaps/scan/ndpi-srvloc427-real-scans.pcap"


class Hub:
    """A running hub; `prefix` is a command that runs it somewhere else, such as a namespace."""

    def __init__(self, *arguments, prefix=(), env=None):
        self.log = []
        self.process = subprocess.Popen(
            [*prefix, KIZASHI, "hub", "--listen", "127.0.0.1:0", *map(str, arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **(env or {})})
        for line in self.process.stdout:
            self.log.append(line)
            found = re.match(r"Portal: (http://\S+)/", line)
            if found:
                self.url = found.group(1)
                return
        raise AssertionError("the hub did not start: " + "".join(self.log))

    def __enter__(self):
        return self

    def __exit__(self, *_what):
        self.stop()

    def ask(self, path, token, **headers):
        request = urllib.request.Request(self.url + path, headers={"Authorization": "Bearer " + token, **headers})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read().decode()

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=60)
        self.log.append(rest)
        return self.process.returncode


def token_of(folder):
    with open(os.path.join(folder, "hub-address"), encoding="ascii") as file:
        return file.read().split()[1]


@functools.cache
def store_is_installed():
    checks = json.loads(run("doctor", "--json").stdout)
    return next(row["state"] for row in checks if row["check"] == "store library") == "ok"


def need_store(_):
    """The store's library is large and may not be installed: then hub tests are skipped."""
    if not store_is_installed():
        raise Skip("libchdb.so is not installed")


def wait_for(what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            result = what()
            if result:
                return result
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.2)
    raise AssertionError("it did not come to pass in time")


def packets_at(hub, token):
    return json.loads(hub.ask("/api/v1/overview", token))["held"]["packets"]


def rows_at(hub, token):
    return len(hub.ask("/api/v1/packets?from=2023-01-01&to=2024-01-01", token).splitlines())


def wait_imported(hub, token, packets):
    """Totals come from contacts, which may be in the store a moment before the packets are."""
    wait_for(lambda: packets_at(hub, token) == packets and rows_at(hub, token) == packets)


@says("real probes go from a capture to the API: ports, sources, one address, CSV and health")
def capture_to_api(folder):
    need_store(folder)
    store = os.path.join(folder, "data")
    hub = Hub("--data", store, "--site", "jp-01=" + data(SLP))
    try:
        token = token_of(store)
        wait_imported(hub, token, 629)
        ports = json.loads(hub.ask("/api/v1/ports?from=2023-01-01&to=2024-01-01", token))["rows"]
        same((ports[0]["proto"], ports[0]["port"], ports[0]["packets"], ports[0]["sources"]), ("udp", 427, 629, 300))
        rows = list(csv.DictReader(io.StringIO(hub.ask(
            "/api/v1/sources?from=2023-01-01&to=2024-01-01&format=csv&limit=1000", token))))
        same(len(rows), 300)
        busiest = max(rows, key=lambda row: int(row["packets"]))
        one = json.loads(hub.ask(f"/api/v1/sources/{busiest['src']}?from=2023-01-01&to=2024-01-01", token))
        assert one, "nothing about one source"
        same(json.loads(hub.ask("/healthz", token))["status"], "ok")
        holds(hub.ask("/metrics", token), 'kizashi_packets_total{site="jp-01"} 629')
    finally:
        same(hub.stop(), 0, "".join(hub.log))
    assert not os.path.exists(os.path.join(store, "hub-address")), "the address outlives the hub"


@says("stats, alerts and export ask the running hub, and open the store themselves when there is none, or "
      "its backup: same answers")
def commands(folder):
    need_store(folder)
    store = os.path.join(folder, "data")

    def answers(store=store):
        totals = json.loads(run("stats", "totals", "--json", "--data", store).stdout)
        ports = run("stats", "ports", "--csv", "--data", store, "--from", "2023-01-01").stdout
        exported = run("export", "--data", store).stdout
        rows = list(csv.DictReader(io.StringIO(exported)))
        # Contacts of ZMap's sources, and rows: those that came before there was evidence carry no tool.
        named = csv.DictReader(io.StringIO(run("stats", "tools", "--csv", "--data", store).stdout))
        same([(t["sources"], t["packets"]) for t in named if t["tool"] == "zmap"], [("45", "196")])
        same(sum(row["tool"] == "zmap" for row in rows), 194)
        newest = run("stats", "span", "--json", "--data", store).stdout
        for words in (("stats", "--site", "jp-02"), ("export", "--site", "jp-02"), ("alerts", "--site", "jp-02"),
                      ("forecasts", "--site", "jp-02")):
            refused = run(*words, "--data", store)
            same((refused.returncode, refused.stdout), (2, ""), refused.stderr)
            holds(refused.stderr, 'there is no site "jp-02"; there are jp-01')
        unknown = run("stats", "--tool", "nonsense", "--data", store)
        same((unknown.returncode, "masscan" in unknown.stderr), (2, True), unknown.stderr)
        same(run("stats", "--tool", "mirai", "--site", "jp-01", "--data", store).returncode, 0)
        last_hour = run("stats", "totals", "--json", "--data", store, "--from", "-1h").stdout
        assert 0 < json.loads(last_hour)["packets"] < 629, (last_hour, newest)
        # From a moment on, without an end: the steps are those of the time until the newest packet.
        steps = run("stats", "series", "--csv", "--from", "2023-01-01", "--step", "1d", "--data", store)
        same(steps.returncode, 0, steps.stderr)
        same(sum(int(line.split(",")[-1]) for line in steps.stdout.split()[1:]), 629, steps.stdout)
        same(run("alerts", "--from", "-7d", "--data", store).returncode, 0)
        alerts = run("alerts", "--json", "--severity", "info", "--data", store)
        same(alerts.returncode, 0, alerts.stderr)
        told = [(a["id"], a["revision"], a["title"]) for a in map(json.loads, alerts.stdout.splitlines())]
        return totals["packets"], ports, len(exported.splitlines()), last_hour, steps.stdout, told

    # The capture has a handful of sources: as many as are to be told of here.
    hub = Hub("--data", store, "--site", "jp-01=" + data(SLP), "--set", "graph.min-sources=1")
    try:
        wait_imported(hub, token_of(store), 629)
        while_running = answers()
        last_admin_stays(store)
        os.makedirs(store + "/power", 0o700)
        with open(os.open(store + "/power/jp-01-1", os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write("secret\n")
        copied = run("backup", "--data", store, "--out", folder + "/copy")
        same(copied.returncode, 0, copied.stderr)
        same(open(folder + "/copy/power/jp-01-1", encoding="ascii").read(), "secret\n")
        same([os.stat(f"{folder}/copy/power{name}").st_mode & 0o777 for name in ("", "/jp-01-1")], [0o700, 0o600])
        same(run("backup", "--data", store, "--out", folder + "/copy").returncode, 2)
        another = os.open(store, os.O_RDONLY)
        fcntl.flock(another, fcntl.LOCK_EX)
        refused = run("backup", "--data", store, "--out", folder + "/other")
        same((refused.returncode, "another backup is being made" in refused.stderr), (1, True), refused.stderr)
        for path, status in (("backup", 409), ("backup?turn=held", 204)):  # while a command copies, and from it
            same(post(hub, path, token_of(store)), status, path)
        os.close(another)
        same(post(hub, "backup", token_of(store)), 204)
        assert os.path.exists(store + "/backup.part/catalog.sqlite")
        same(json.loads(hub.ask("/api/v1/audit?limit=1", token_of(store)))["rows"][0]["what"], "backup")
    finally:
        same(hub.stop(), 0)
    hub = Hub("--data", store)
    assert not os.path.exists(store + "/backup.part"), hub.log
    same(hub.stop(), 0)
    same(while_running[0], 629)
    same(while_running[2], 630)
    same(answers(), while_running)
    assert while_running[5], "no alerts to compare"
    same(answers(folder + "/copy"), while_running)
    assert not os.path.exists(store + "/backup.part")
    last_admin_stays(store)
    for words in (("stats", "ports", "--csv"), ("stats", "--json"), ("export",)):
        same(unread(*words, "--data", store), (-signal.SIGPIPE, ""))


def unread(*words):
    """How a command ends, and what it says, when nobody reads what it writes."""
    read, write = os.pipe()
    os.close(read)
    with subprocess.Popen([KIZASHI, *words], stdout=write, stderr=subprocess.PIPE, text=True) as command:
        os.close(write)
        return command.wait(60), command.stderr.read()


def post(hub, path, token):
    """The status that it is answered with."""
    asked = urllib.request.Request(hub.url + "/api/v1/" + path, method="POST", headers={"Authorization": "Bearer " + token})
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as problem:
        return problem.code


def last_admin_stays(store):
    """Asked of the hub, and without one."""
    refused = run("user", "remove", "admin", "--data", store)
    same((refused.returncode, refused.stderr.endswith(": the last enabled admin stays\n")), (1, True), refused.stderr)
    same(run("user", "remove", "nobody", "--data", store).returncode, 2)
    users = run("user", "list", "--json", "--data", store)
    same([row["user"] for row in map(json.loads, users.stdout.splitlines())], ["admin"], users.stderr)


def capture_of(path, *days):
    """One UDP packet at noon of each day."""
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for day in days:
            noon = calendar.timegm(time.strptime(day + " 12", "%Y-%m-%d %H"))
            packet = struct.pack(">BBHHHBBH4s4sHHHH", 0x45, 0, 28, 1, 0, 60, 17, 0, bytes((198, 51, 100, 7)),
                                 bytes((192, 0, 2, 9)), 40000, 427, 8, 0)
            out.write(struct.pack("<IIII", noon, 0, len(packet), len(packet)) + packet)
    return path


@says("a hub that starts drops what is older than it keeps, nothing else, and says in one line what it was")
def old_packets(folder):
    need_store(folder)
    store = os.path.join(folder, "data")
    for name, days in (("one", ["2021-03-04"]), ("two", ["2023-05-01", "2023-05-03", "2023-06-01"])):
        done = run("replay", "--quiet", "--data", store, "--site",
                   f"jp-01={capture_of(folder + '/' + name + '.pcap', *days)}")
        same(done.returncode, 0, done.stderr)

    def days_held():
        lines = run("export", "--data", store, "--format", "json").stdout.splitlines()
        return [json.loads(line)["ts"][:10] for line in lines]

    same(len(days_held()), 4)
    with Hub("--data", store) as hub:  # 30 days before noon of 1 June: 2 May
        wait_for(lambda: days_held() == ["2023-05-03", "2023-06-01"])
    told = [line for line in hub.log if "store.expired" in line]
    same(len(told), 1, hub.log)
    holds(told[0], "packets=2 ")
    holds(told[0], "from=2021-03-04 before=2023-05-02")
    with Hub("--data", store) as again:
        token = token_of(store)
        same(packets_at(again, token), 4)  # the hourly figures are kept longer
    same([line for line in again.log if "store.expired packets=" in line and "packets=0" not in line], [])
    same(days_held(), ["2023-05-03", "2023-06-01"])


@says("who lost the password gets another, with a hub and without, and sessions end; users are added there, too")
def passwords(folder):
    need_store(folder)
    store = os.path.join(folder, "data")
    first, second = os.path.join(folder, "first"), os.path.join(folder, "second")
    for path, word in ((first, "a-first-password\n"), (second, "another-password\n")):
        with open(path, "w", opener=lambda p, flags: os.open(p, flags, 0o600), encoding="ascii") as out:
            out.write(word)

    def user(*words):
        done = run("user", *words, "--data", store)
        return done.returncode, done.stderr

    with Hub("--data", store, "--admin-password-file", first) as hub:
        def status(word, name="admin"):
            asked = urllib.request.Request(hub.url + "/api/v1/login", method="POST",
                                           data=json.dumps({"user": name, "password": word}).encode(),
                                           headers={"Content-Type": "application/json", "Origin": hub.url})
            try:
                with urllib.request.urlopen(asked, timeout=60) as answer:
                    return answer.status, answer.headers["Set-Cookie"].split(";")[0]
            except urllib.error.HTTPError as problem:
                return problem.code, None

        cookie = status("a-first-password")[1]
        asked = urllib.request.Request(hub.url + "/api/v1/me", headers={"Cookie": cookie})
        same(urllib.request.urlopen(asked, timeout=60).status, 200)
        same(user("password", "admin", "--password-file", second), (0, ""))
        same([status("a-first-password")[0], status("another-password")[0]], [401, 200])
        try:
            raise AssertionError(urllib.request.urlopen(asked, timeout=60).status)
        except urllib.error.HTTPError as problem:
            same(problem.code, 401)
        same(user("add", "k.tanaka", "--role", "viewer", "--password-file", first), (0, ""))
        same(status("a-first-password", "k.tanaka")[0], 200)
        same(user("add", "k.tanaka", "--password-file", first)[0], 2)
        holds(user("password", "nobody", "--password-file", first)[1], "there is no user nobody")
    same(user("password", "admin", "--password-file", first), (0, ""))
    same(user("add", "k.suzuki", "--role", "partner", "--password-file", second), (0, ""))
    status_of = user("password", "nobody", "--password-file", first)
    same((status_of[0], "there is no user nobody" in status_of[1]), (2, True), status_of)
    same(user("add", "k.suzuki", "--password-file", first)[0], 2)
    holds(user("password", "admin")[1], "--password-file")
    holds(user("password", "admin", "--draw")[1], "terminal")
    listed = run("user", "list", "--json", "--data", store).stdout.splitlines()
    same(sorted((row["user"], row["role"]) for row in map(json.loads, listed)),
         [("admin", "admin"), ("k.suzuki", "partner"), ("k.tanaka", "viewer")])
    with Hub("--data", store) as hub:
        same(typed(store, "typed-by-hand-1"), (0, True))
        same(typed(store, "typed-by-h", interrupt=True), (-signal.SIGINT, True))
        same([status(word)[0] for word in ("a-first-password", "typed-by-hand-1")], [401, 200])


def typed(store, word, interrupt=False):
    """`user password admin` at a terminal, which must not show what is typed. The status, and whether the terminal
    shows again what is typed."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([KIZASHI, "user", "password", "admin", "--data", store], stdin=theirs, stdout=theirs,
                          stderr=theirs, start_new_session=True) as command:
        os.close(theirs)
        shown = b""
        for question in (b"Password: ", b"again: "):
            while not shown.endswith(question):
                shown += os.read(ours, 1000)
            until = time.monotonic() + 60  # the question comes before the terminal hides what is typed
            while termios.tcgetattr(ours)[3] & termios.ECHO and time.monotonic() < until:
                time.sleep(0.01)
            if interrupt:
                os.write(ours, word.encode())
                command.send_signal(signal.SIGINT)
                break
            os.write(ours, word.encode() + b"\n")
        status = command.wait(60)
    same(word.encode() in shown, False, shown)
    shows = termios.tcgetattr(ours)[3] & termios.ECHO != 0
    os.close(ours)
    return status, shows


@says("every question of stats has the same answer from the hub and without it, as rows and as CSV")
def questions(folder):
    need_store(folder)
    store = os.path.join(folder, "data")
    same(run("simulate", "telescope", "--out", folder + "/sim", "--sites", "2", "--days", "0.15", "--scale", "0.3",
             "--seed", "3").returncode, 0)
    sites = [word for name in sorted(os.listdir(folder + "/sim")) if name.endswith(".pcap")
             for word in ("--site", f"{name[:-5]}={folder}/sim/{name}")]
    same(run("replay", "--quiet", "--data", store, *sites).returncode, 0)
    one = json.loads(run("stats", "sources", "--limit", "1", "--json", "--data", store).stdout)["src"]
    site = ("--site", sites[1].split("=")[0])
    asked = [("span",), ("sites", *site), ("losses", *site, "--step", "1h"), ("source", "--src", one, "--class", "scan"),
             ("series",), ("series", "--by", "country", "--limit", "3", "--measure", "sources", "--from", "-90m"),
             ("series", "--by", "port", "--step", "30m"), ("movers", "--from", "-1h"), ("victims", *site),
             *((name,) for name in ("totals", "ports", "sources", "countries", "asns", "tools", "classes", "screened",
                                    "tagged", "movers")),
             ("totals", "--class", "scan,worm"), ("ports", "--class", "-scan,-worm", "--from", "-2h", "--to", "-1h")]

    def answers():
        told = {}
        for words in asked:
            for form in ("--json", "--csv"):
                done = run("stats", *words, form, "--data", store)
                same(done.returncode, 0, (words, done.stderr))
                told[(*words, form)] = done.stdout
        return told

    hub = Hub("--data", store)
    try:
        from_hub = answers()
    finally:
        same(hub.stop(), 0)
    without = answers()
    for words, text in without.items():
        same(from_hub[words], text, words)
        rows = len(text.splitlines()) - ("--csv" in words)
        assert rows or words[0] == "losses", (words, text)
    # Not rows are limited but lines.
    assert len({line.split(",")[1] for line in without[(*asked[5], "--csv")].split()[1:]}) == 3, without


@says("a hub that is started again takes the same capture only once, and a second one on the folder is refused")
def again(folder):
    need_store(folder)
    store = os.path.join(folder, "data")
    for _ in range(2):
        hub = Hub("--data", store, "--site", "jp-01=" + data(SLP))
        try:
            wait_imported(hub, token_of(store), 629)
            time.sleep(1)
            other = run("hub", "--data", store, "--listen", "127.0.0.1:0", timeout=60)
            same(other.returncode, 1, other.stderr)
            holds(other.stderr, str(hub.process.pid))
            same(packets_at(hub, token_of(store)), 629)
        finally:
            same(hub.stop(), 0)


@says("a replay that is killed and run again leaves every packet in the store exactly once")
def killed(folder):
    need_store(folder)
    simulated = os.path.join(folder, "sim")
    done = run("simulate", "telescope", "--out", simulated, "--sites", "2", "--days", "1", "--scale", "0.5", "--seed",
               "3", "--events", "none")
    same(done.returncode, 0, done.stderr)
    with open(os.path.join(simulated, "truth.json"), encoding="utf-8") as file:
        truth = {site["name"]: site["packets"] for site in json.load(file)["sites"]}
    sites = [word for name in truth for word in ("--site", f"{name}={simulated}/{name}.pcap")]
    store = os.path.join(folder, "data")
    for seconds in (0.3, 0.6, 1):
        process = subprocess.Popen([KIZASHI, "replay", "--quiet", "--data", store, *sites],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        process.kill()
        process.wait()
    done = run("replay", "--quiet", "--data", store, *sites)
    if done.returncode != 0:  # a fast machine had them all before it was killed
        same(done.returncode, 2, done.stderr)
        holds(done.stderr, "all captures are in the data folder already")
    seen = {}
    for line in run("stats", "sites", "--json", "--data", store).stdout.splitlines():
        row = json.loads(line)
        seen[row["site"]] = row["packets"]
    same(seen, truth)
    same(json.loads(run("stats", "totals", "--json", "--data", store).stdout)["packets"], sum(truth.values()))
    same(len(run("export", "--data", store, "--port", "23").stdout.splitlines()) - 1,
         sum(json.loads(line)["packets"] for line in
             run("stats", "ports", "--json", "--port", "23", "--limit", "10", "--data", store).stdout.splitlines()))


@says("a small demonstration shows its history before its first live window ends")
def small_demo(folder):
    need_store(folder)
    store = os.path.join(folder, "data")
    hub = Hub("--data", store, "--demo", "--demo-sites", "1", "--demo-history", "2h", "--demo-scale", "0.1")
    try:
        token = token_of(store)
        wait_for(lambda: json.loads(hub.ask("/api/v1/overview", token))["held"]["packets"] > 0)
    finally:
        same(hub.stop(), 0, "".join(hub.log))


@says("older captures that are added to a data folder do not set the engines back")
def older(folder):
    need_store(folder)
    store = os.path.join(folder, "data")
    for name, start in (("new", "2026-08-05"), ("old", "2026-08-03")):
        simulated = os.path.join(folder, name)
        done = run("simulate", "telescope", "--out", simulated, "--sites", "1", "--days", "0.1", "--scale", "0.1",
                   "--start", start, "--events", "none")
        same(done.returncode, 0, done.stderr)
    ends = []
    for name in ("new", "old"):
        done = run("replay", "--quiet", "--data", store, "--site", f"jp-01={folder}/{name}/jp-01.pcap")
        same(done.returncode, 0, done.stderr)
        catalog = sqlite3.connect(f"file:{store}/catalog.sqlite?mode=ro", uri=True)
        ends.append(catalog.execute("SELECT engine, window_end FROM engine_state ORDER BY engine").fetchall())
        catalog.close()
    assert ends[0], "no state was kept"
    same(ends[1], ends[0])
    same(len(run("stats", "sites", "--json", "--data", store).stdout.splitlines()), 1)


@says("packets on a live interface are in the API within five seconds")
def live(folder):
    need_store(folder)
    if os.geteuid() != 0 or not shutil.which("unshare"):
        raise Skip("only root makes a network namespace")
    store = os.path.join(folder, "data")
    inside = """
import json, os, socket, subprocess, sys, time, urllib.request
sys.path.insert(0, sys.argv[2])
import test_hub
hub = test_hub.Hub("--data", sys.argv[1], "--interface", "lab=lo", "--filter", "udp dst port 4272")
try:
    token = test_hub.token_of(sys.argv[1])
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for _ in range(25):
        out.sendto(b"hello", ("127.0.0.1", 4272))
    begin = time.monotonic()
    test_hub.wait_for(lambda: json.loads(hub.ask("/api/v1/overview", token))["held"].get("packets") == 25, 20)
    print("took", time.monotonic() - begin)
finally:
    hub.stop()
"""
    here = os.path.dirname(os.path.abspath(__file__))
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec python3 -c "$0" "$1" "$2"', inside, store, here],
        capture_output=True, text=True, timeout=120, check=False)
    if "Operation not permitted" in done.stderr:
        raise Skip("no network namespaces here")
    same(done.returncode, 0, done.stderr + done.stdout)
    assert float(done.stdout.split()[-1]) < 5, done.stdout


@says("the first user's password comes from a file that only its owner reads, and signs in; one drawn is in no log")
def password_file(folder):
    need_store(folder)
    path = os.path.join(folder, "password")
    with open(path, "w", encoding="ascii") as out:
        out.write("correct horse battery\n")
    os.chmod(path, 0o644)
    done = run("hub", "--data", folder + "/data", "--listen", "127.0.0.1:0", "--admin-password-file", path)
    assert done.returncode in (1, 2), done
    holds(done.stderr, path)
    os.chmod(path, 0o600)
    hub = Hub("--data", folder + "/data", "--admin-password-file", path)
    try:
        request = urllib.request.Request(
            hub.url + "/api/v1/login", data=b'{"user":"admin","password":"correct horse battery"}',
            headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            same(json.loads(answer.read())["role"], "admin")
    finally:
        same(hub.stop(), 0)
    own = Hub("--data", folder + "/own", "--listen", "0.0.0.0:0", "--host", "hub.example.org")
    same(own.stop(), 0)
    with open(folder + "/own/admin-password", encoding="ascii") as file:
        drawn = file.read().strip()
    log = "".join(own.log)
    holds(log, folder + "/own/admin-password")
    assert drawn and drawn not in log, "the password is in the log"
    holds(log, "Portal: http://hub.example.org:")


@says("an alert is told in words, and as JSON with --json: the same from the hub and without it")
def one_alert(folder):
    need_store(folder)
    store = os.path.join(folder, "data")
    same(run("simulate", "telescope", "--out", folder + "/sim", "--sites", "3", "--days", "1.5", "--scale", "0.3",
             "--events", "country-botnet@24h", "--seed", "5").returncode, 0)
    sites = [word for name in sorted(os.listdir(folder + "/sim")) if name.endswith(".pcap")
             for word in ("--site", f"{name[:-5]}={folder}/sim/{name}")]
    done = run("replay", "--quiet", "--data", store, *sites)
    same(done.returncode, 0, done.stderr)
    strongest = json.loads(run("alerts", "--severity", "notice", "--json", "--data", store).stdout.splitlines()[0])
    hub = Hub("--data", store)
    try:
        asked = run("alerts", strongest["id"], "--data", store).stdout
    finally:
        same(hub.stop(), 0)
    told = run("alerts", strongest["id"], "--data", store).stdout
    same(asked, told)
    first = told.splitlines()[0]
    holds(first, strongest["severity"].upper())
    holds(first, strongest["title"])
    for part in (strongest["id"], "Evidence of", strongest["time"], "South Korea", *strongest["sites"]):
        holds(told, part)
    for line in told.splitlines():
        assert len(line) < 140, line
    same(json.loads(run("alerts", strongest["id"], "--json", "--data", store).stdout)["title"], strongest["title"])
    holds(run("alerts", "19990101-1tcp-0000", "--data", store).stderr, "19990101-1tcp-0000")
    marked_and_suppressed(store, strongest["id"])


def marked_and_suppressed(store, alert):
    """Through the hub, and without it: the same."""
    def listed(*more):
        return run("alerts", "--severity", "notice", "--data", store, *more).stdout

    hub = Hub("--data", store)
    try:
        same(run("alerts", "mark", alert, "known", "--until", "30d", "--data", store).returncode, 2)
        done = run("alerts", "mark", alert, "known", "--why", "ours", "--until", "30d", "--data", store)
        same(done.returncode, 0, done.stderr)
        assert alert not in listed()
        holds(listed("--suppressed", "only"), alert)
        holds(run("alerts", "suppressions", "--data", store).stdout, "ours")
        told = run("alerts", alert, "--data", store).stdout
    finally:
        same(hub.stop(), 0)
    holds(told, "by suppression 1")
    assert alert not in listed()
    same(run("alerts", "revoke", "1", "--data", store).returncode, 0)
    same(run("alerts", "revoke", "1", "--data", store).returncode, 2)
    holds(listed(), alert)
    holds(run("alerts", alert, "--data", store).stdout, "from a suppression: the suppression was revoked")
    same(run("alerts", "mark", alert, "wrong", "--why", "x", "--until", "7d", "--scope", "port", "--data", store).returncode, 0)
    assert alert not in listed()
    same(run("forecasts", "--data", store).returncode, 0)


@says("a hub that was killed leaves an address that nobody answers at, and questions are answered all the same")
def killed_hub(folder):
    need_store(folder)
    store = os.path.join(folder, "data")
    hub = Hub("--data", store, "--site", "jp-01=" + data(SLP))
    wait_imported(hub, token_of(store), 629)
    hub.stop(signal.SIGKILL)
    assert os.path.exists(os.path.join(store, "hub-address"))
    same(json.loads(run("stats", "totals", "--json", "--data", store).stdout)["packets"], 629)
    same(run("alerts", "--data", store).returncode, 0)


def exported(store, *arguments):
    return run("export", "--data", store, *arguments, stdin=b"").stdout


@says("packets that are exported as a capture are read again as the same packets, from the hub and without it")
def capture_again(folder):
    need_store(folder)
    store, second = os.path.join(folder, "data"), os.path.join(folder, "again")
    same(run("replay", "--data", store, "--site", "jp-01=" + data(SLP), "--payload", "256").returncode, 0)
    capture = os.path.join(folder, "slp.pcap")
    same(run("export", "--data", store, "--format", "pcap", "--output", capture).returncode, 0)
    with open(capture, "rb") as f:
        whole = f.read()
    hub = Hub("--data", store)
    same(exported(store, "--format", "pcap"), whole)
    hub.stop()
    done = run("export", "--data", store, "--format", "pcap", "--output", capture)
    same(done.returncode, 2)
    with open(capture, "rb") as f:
        same(f.read(), whole)
    same(run("replay", "--data", second, "--site", "jp-01=" + capture, "--payload", "256").returncode, 0)
    columns = ("ts", "src", "dst", "proto", "sport", "dport", "ttl", "ip_id", "payload_len", "payload_hash", "payload")

    def rows(folder):
        return [[row[c] for c in columns] for row in csv.DictReader(io.StringIO(exported(folder).decode()))]
    same(len(rows(store)), 629)
    same(rows(second), rows(store))
    same(len(exported(store, "--format", "pcap", "--port", "9")), 24)


class Busy(http.server.BaseHTTPRequestHandler):
    """A hub that says to wait, once or for ever."""

    answers = []
    asked = 0

    def do_GET(self):  # noqa: N802 (the library's name)
        Busy.asked += 1
        status, wait, body = Busy.answers.pop(0) if len(Busy.answers) > 1 else Busy.answers[0]
        self.send_response(status)
        if wait:
            self.send_header("Retry-After", str(wait))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


@says("a command that the hub tells to wait waits and asks again, but not for minutes")
def told_to_wait(folder):
    server = http.server.HTTPServer(("127.0.0.1", 0), Busy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with open(os.path.join(folder, "hub-address"), "w") as f:
        f.write("http://127.0.0.1:%d\nx\n" % server.server_port)
    later = '{"title": "Too many requests", "detail": "too many requests; wait 1 s"}'
    Busy.answers = [(429, 1, later), (200, 0, '{"version": 0, "document": {"payload": 64}, "versions": []}')]
    done = run("site", "config", "jp-01", "--data", folder)
    same(done.returncode, 0, done.stderr)
    holds(done.stdout, '"payload": 64')
    same(Busy.asked, 2)
    Busy.answers = [(429, 3600, later)]
    start = time.monotonic()
    done = run("site", "config", "jp-01", "--data", folder)
    same(done.returncode, 2)
    holds(done.stderr, "the hub answers 429: too many requests")
    assert time.monotonic() - start < 20
    server.shutdown()


@says("the demonstration's sources are in the countries that they are meant to be in")
def demo_countries(folder):
    need_store(folder)
    if not os.path.exists("/usr/share/tor/geoip") and not os.path.exists("/usr/local/share/kizashi/geoip"):
        raise Skip("no database of countries")
    hub = Hub("--demo", "--demo-sites", 2, "--demo-history", "1d", "--data", folder + "/data")
    try:
        token = token_of(folder + "/data")
        wait_for(lambda: packets_at(hub, token) > 3000)
        rows = json.loads(hub.ask("/api/v1/countries?limit=250", token))["rows"]
        total = sum(row["sources"] for row in rows)
        share = {row["country"]: row["sources"] / total for row in rows}
        assert len(rows) > 40 and share["us"] < 0.4 and share["cn"] > 0.05, share
    finally:
        same(hub.stop(), 0)


@says("the guide's recipe for a token, run as it is written, makes one that works")
def recipe(folder):
    need_store(folder)
    if not shutil.which("curl"):
        raise Skip("curl is not installed")
    with open(os.path.join(os.environ["KIZASHI_SOURCE"], "docs/api.md"), encoding="utf-8") as page:
        lines = page.read().split("```sh\n", 1)[1].split("```", 1)[0]
    hub = Hub("--data", folder + "/data", "--site", "jp-01=" + data(SLP))
    try:
        wait_imported(hub, token_of(folder + "/data"), 629)
        lines = lines.replace("hub=http://127.0.0.1:8480 data=kizashi-data", f"hub={hub.url} data={folder}/data")
        done = subprocess.run(["sh", "-eu", "-c", lines], cwd=folder, capture_output=True, text=True, check=False)
        same(done.returncode, 0, done)
        holds(done.stdout, '"port":427')
        same(sorted(os.listdir(folder)), ["data", "token.json"])
        same(os.stat(folder + "/token.json").st_mode & 0o077, 0)
    finally:
        same(hub.stop(), 0)


@says("systemd is told when the hub is ready, that it is alive, and when it stops")
def service(folder):
    need_store(folder)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(folder + "/ear")
        ear.settimeout(60)
        hub = Hub("--data", folder + "/data", env={"NOTIFY_SOCKET": folder + "/ear", "WATCHDOG_USEC": "3000000"})
        same([ear.recv(64), ear.recv(64)], [b"READY=1", b"WATCHDOG=1"])
        same(hub.stop(), 0)
        told = b""
        while told != b"STOPPING=1":
            told = ear.recv(64)


@says("doctor and a second hub know a hub that runs at the address, and plain HTTP beyond loopback is warned of once")
def known_hub(folder):
    need_store(folder)
    store = os.path.join(folder, "data")
    hub = Hub("--data", store)
    try:
        address = hub.url.removeprefix("http://")
        checks = {row["check"]: row for row in
                  json.loads(run("doctor", "--json", "--data", store, "--listen", address).stdout)}
        same(checks["address"]["state"], "ok")
        holds(checks["address"]["found"], "a kizashi hub runs at " + address)
        other = {row["check"]: row for row in
                 json.loads(run("doctor", "--json", "--data", folder + "/2", "--listen", address).stdout)}
        same(other["address"]["state"], "fail")
        holds(other["address"]["found"], "a kizashi hub runs at")
        done = run("hub", "--data", folder + "/2", "--listen", address)
        assert done.returncode, done
        holds(done.stderr, "a kizashi hub runs there already")
    finally:
        same(hub.stop(), 0)
    same([line for line in hub.log if "hub.in-clear" in line], [])
    hub = Hub("--data", store, "--listen", "0.0.0.0:0")
    time.sleep(0.5)
    same(hub.stop(), 0)
    same(len([line for line in "".join(hub.log).splitlines() if "hub.in-clear" in line]), 1)


@says("wrong use of the hub and its commands is one line and ends with 2; nothing is left behind")
def wrong_use(folder):
    bad = os.path.join(folder, "bad.yaml")
    with open(bad, "w", encoding="ascii") as out:
        out.write("listen: 127.0.0.1:0\nlisten-on: 3\n")
    store = os.path.join(folder, "data")
    own = ["--listen", "127.0.0.1:0"]  # the default port may be a running hub's
    for arguments, part in (
            (["hub", "--config", bad, "--data", store], bad + ":2"),
            (["hub", "--data", store, "--tls-cert", bad], "--tls-key"),
            (["hub", *own, "--data", store, "--tls-cert", "x"], "--tls-cert: x"),
            (["hub", *own, "--data", store, "--engines", "none,x"], "none"),
            (["hub", "--data", store, "--demo-sites", "1000"], "--demo-sites"),
            (["hub", *own, "--data", store, "--site", "jp-01"], "NAME=FILE"),
            (["hub", "--data", store, "extra"], "extra"),
            (["stats", "--data", folder + "/none"], "no data folder"),
            (["stats", "--data", folder], "holds no store"),
            (["alerts", "--data", folder], "holds no alerts"),
            (["export", "--data", folder], "holds no store"),
            (["stats", "nonsense", "--data", folder], "nonsense"),
            (["stats", "--from", "yesterday", "--data", folder], "yesterday"),
            (["stats", "--from", "2026-01-02", "--to", "2026-01-01", "--data", folder], "--from"),
            (["stats", "--port", "70000", "--data", folder], "--port"),
            (["stats", "--src", "1.2.3.4.5", "--data", folder], "--src"),
            (["alerts", "--severity", "huge", "--data", folder], "info|notice|warning|critical"),
            (["export", "--format", "xml", "--data", folder], "csv|json"),
    ):
        done = run(*arguments)
        same(done.returncode, 2, (arguments, done.stderr))
        same(len(done.stderr.splitlines()), 1, done.stderr)
        holds(done.stderr, part)


if __name__ == "__main__":
    main()
