"""Sites and their documents: a hub, a message server and a sensor on loopback. Needs root, for capturing."""

import getpass
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import threading
import time
import urllib.request

from tap import KIZASHI, Skip, holds, main, run, same, says


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(type=kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


PORT = free_port(socket.SOCK_DGRAM)  # nobody else sends to it


def wait_for(what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = what()
        if result:
            return result
        time.sleep(0.1)
    raise AssertionError("it did not come to pass in time")


def store_is_installed():
    checks = json.loads(run("doctor", "--json").stdout)
    return next(row["state"] for row in checks if row["check"] == "store library") == "ok"


def need_all():
    if os.geteuid() != 0:
        raise Skip("only root may capture")
    if not shutil.which("nats-server"):
        raise Skip("nats-server is not installed")
    if not store_is_installed():
        raise Skip("libchdb.so is not installed")


class Broker:
    def __init__(self, folder, port):
        self.command = ["nats-server", "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", folder]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self):
        self.process.kill()
        self.process.wait()


class World:
    """One of each, with the site jp-01 known to the hub."""

    def __init__(self, folder):
        need_all()
        self.running = []
        try:
            self.start(folder)
        except BaseException:
            self.stop()
            raise

    def start(self, folder):
        self.data = os.path.join(folder, "hub")
        self.folder = folder
        self.url = f"nats://127.0.0.1:{free_port()}"
        self.broker = Broker(os.path.join(folder, "nats"), self.url.rsplit(":", 1)[1])
        self.hub = self.start_hub()
        with sqlite3.connect(os.path.join(self.data, "catalog.sqlite"), timeout=10) as c:
            c.execute("INSERT INTO remote_site (name, added, addresses, token_expires) VALUES ('jp-01', 1, 256, 0)")
        self.sensor = self.start_sensor()
        wait_for(lambda: self.site()["state"] == "up")

    def start_hub(self):
        hub = subprocess.Popen(
            [KIZASHI, "hub", "--listen", "127.0.0.1:0", "--data", self.data, "--bus", self.url, "--engines", "none",
             "--user", "root"], stdout=subprocess.PIPE,
            stderr=open(os.path.join(self.folder, "hub.log"), "a", encoding="utf-8"), text=True)
        self.running.append(hub)
        for line in hub.stdout:
            if line.startswith("Portal: "):
                return hub
        raise AssertionError("the hub did not start")

    def start_sensor(self):
        sensor = subprocess.Popen(
            [KIZASHI, "sensor", "--data", os.path.join(self.folder, "site"), "--site", "jp-01", "--bus", self.url,
             "--interface", "lo", "--filter", f"udp dst port {PORT}", "--heartbeat", "1s", "--batch", "200ms",
             "--user", "root"],
            stdout=subprocess.DEVNULL, stderr=open(os.path.join(self.folder, "sensor.log"), "a", encoding="utf-8"))
        self.running.append(sensor)
        return sensor

    def stop(self):
        for process in self.running:
            process.kill()
            process.wait()
        if hasattr(self, "broker"):
            self.broker.stop()

    def site(self):
        done = run("site", "show", "jp-01", "--data", self.data, "--json")
        return json.loads(done.stdout) if done.returncode == 0 else {"state": "?"}

    def config(self, *arguments):
        done = run("site", "config", "jp-01", "--data", self.data, *arguments)
        same(done.returncode, 0, done.stderr)
        return done

    def versions(self):
        return json.loads(self.config("--history", "--json").stdout)

    def in_effect(self, version):
        return wait_for(lambda: next(v for v in self.versions() if v["version"] == version)["took_ms"] is not None, 10)


def send(count, pause=0.0):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for i in range(count):
            s.sendto(b"kizashi test %08d" % i, ("127.0.0.1", PORT))
            if pause and i % 20 == 0:
                time.sleep(pause)


def received(world):
    return world.site()["heartbeat"]["received"]


@says("a change is in effect at the site in less than half a second, and the site tells so")
def in_effect(folder):
    world = World(folder)
    try:
        took = []
        for i in range(20):
            world.config("--set", f"payload={10 + i}", "--note", "case 17")
            world.in_effect(i + 1)
        took = sorted(v["took_ms"] for v in world.versions())
        print(f"# change to the site's word, 20 changes: median {took[10]} ms, most {took[-1]} ms")
        same({v["who"] for v in world.versions()}, {"shell:" + (os.environ.get("SUDO_USER") or getpass.getuser())})
        same(took[-1] < 500, True)
        same(world.site()["heartbeat"]["config_version"], 20)
    finally:
        world.stop()


@says("no packet is lost while documents change under capture")
def nothing_lost(folder):
    world = World(folder)
    try:
        count = 20000
        sender = threading.Thread(target=send, args=(count, 0.004))
        sender.start()
        version = 0
        while sender.is_alive():
            version += 1
            world.config("--set", f"payload={version % 64}", "--set", f"batch={100 + version}ms",
                         "--set", f"filter=udp dst port {PORT}" if version % 2 else "filter=")
        sender.join()
        print(f"# {version} documents while {count} packets came")
        wait_for(lambda: received(world) >= count, 20)
        beat = world.site()["heartbeat"]
        same((beat["received"], beat["dropped_kernel"], beat["dropped_queue"]), (count, 0, 0))
        wait_for(lambda: world.site()["heartbeat"].get("oldest_us") == 0, 20)
        same(version > 10, True)
    finally:
        world.stop()


@says("filter and sampling of the document decide what is collected")
def what_is_collected(folder):
    world = World(folder)
    try:
        world.config("--set", "filter=udp dst port 1")
        world.in_effect(1)
        send(500)
        time.sleep(2)
        same(received(world), 0)
        world.config("--set", "filter=")
        world.in_effect(2)
        send(500)
        wait_for(lambda: received(world) >= 500, 30)
        same(received(world), 500)
    finally:
        world.stop()


@says("a site that was away has its document within five seconds of coming back, and keeps it")
def comes_back(folder):
    world = World(folder)
    try:
        world.broker.stop()
        changed = world.config("--set", "payload=7")
        same("pushed as soon as that is possible" in changed.stdout, True)
        world.broker.start()
        start = time.monotonic()
        world.in_effect(1)
        print(f"# in effect {time.monotonic() - start:.1f} s after the message server came back")
        world.sensor.kill()
        world.sensor.wait()
        world.broker.stop()
        world.sensor = world.start_sensor()
        with open(os.path.join(folder, "site", "document.json"), encoding="utf-8") as file:
            same(json.load(file)["document"]["payload"], 7)
        # Changed while it was away, with the broker's memory lost, too.
        world.config("--set", "payload=9")
        shutil.rmtree(os.path.join(folder, "nats"))
        world.broker.start()
        start = time.monotonic()
        world.in_effect(2)
        print(f"# {time.monotonic() - start:.1f} s with an empty message server")
    finally:
        world.stop()


@says("what reveals more than a site lets out is refused before it is pushed; the rest of its document stays as the site has it")
def the_limit(folder):
    world = World(folder)
    try:
        for check in ([], ["--check"]):
            done = run("site", "config", "jp-01", "--data", world.data, "--set", "anonymisation.destination=keep", *check)
            same(done.returncode, 2, done.stdout)
            same("destination: keep reveals more than the site allows" in done.stderr, True, done.stderr)
        same(world.versions(), [])
        world.config("--set", "anonymisation.destination=drop")
        world.in_effect(1)
        same([row["member"] for row in world.versions()[0]["changed"]], ["anonymisation.destination"])
        same(json.loads(world.config("--show").stdout)["batch"], "200ms")
        wait_for(lambda: world.site()["state"] == "up", 10)
    finally:
        world.stop()


@says("a change that blinds engines says which, before and after, and the site's page keeps saying so")
def blinded(folder):
    world = World(folder)
    try:
        line = "surge does not work: needs "
        for check in (["--check"], []):
            told = world.config("--set", "anonymisation.source=drop", *check).stdout
            holds(told, line)
            holds(told, "anonymisation.source=hash lets it work")
        same(any(row["who"] == "surge" and row["vital"] for row in world.site()["losses"]), True)
        holds(run("site", "show", "jp-01", "--data", world.data).stdout, line)
        again = world.config("--set", "payload=16").stdout  # told once, when it is changed
        same("does not work" in again, False, again)
        world.config("--set", "anonymisation.source=keep")
        same(world.site()["losses"], [])
    finally:
        world.stop()


@says("an action is confirmed, asked for, done at the site by its own unit, and its result is told; late ones are not begun")
def actions(folder):
    world = World(folder)
    site = os.path.join(folder, "site")
    programs = os.path.join(folder, "programs")
    log = os.path.join(folder, "done.log")
    os.mkdir(programs)
    for name, status in (("systemctl", 0), ("apt-get", 3)):
        with open(os.path.join(programs, name), "w", encoding="ascii") as file:
            file.write(f'#!/bin/sh\necho "{name} $*" >> {log}\nexit {status}\n')
        os.chmod(os.path.join(programs, name), 0o755)

    def ask(*words, confirm="jp-01"):
        return run("site", "action", "jp-01", "--data", world.data, *words, "--confirm", confirm)

    def act():
        wait_for(lambda: os.path.exists(os.path.join(site, "action.json")), 20)
        return run("site", "act", "--data", site, "--programs", programs)

    def newest():
        hub = open(os.path.join(world.data, "hub-address"), encoding="ascii").read().split()
        request = urllib.request.Request(hub[0] + "/api/v1/fleet/jp-01/actions",
                                         headers={"Authorization": "Bearer " + hub[1]})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["rows"][0]

    try:
        same(ask("restart", "kizashi-sensor", confirm="kr-01").returncode, 1)
        same(ask("restart", "ssh").returncode, 2)
        done = ask("restart", "kizashi-sensor")
        same(done.returncode, 0, done.stderr)
        same(act().returncode, 0)
        row = wait_for(lambda: newest() if newest()["finished"] else None, 20)
        same((row["what"], row["service"], row["result"]), ("restart", "kizashi-sensor", ""))
        same(ask("upgrade").returncode, 0)
        same(act().returncode, 1)
        row = wait_for(lambda: newest() if newest()["finished"] else None, 20)
        same((row["what"], row["result"]), ("upgrade", "apt-get -q ended with status 3"))
        same(ask("reboot").returncode, 0)
        same(act().returncode, 0)
        wait_for(lambda: newest()["finished"], 20)
        with open(log, encoding="ascii") as file:
            same(file.read().splitlines(), ["systemctl restart -- kizashi-sensor", "apt-get -q update",
                                            "systemctl reboot"])
        same(run("site", "act", "--data", site, "--programs", programs).returncode, 1)  # nothing is asked for
        with open(os.path.join(site, "action.json"), "w", encoding="ascii") as file:
            json.dump({"id": 99, "what": "reboot", "service": "", "until": "2020-01-01T00:00:00Z"}, file)
        same(run("site", "act", "--data", site, "--programs", programs).returncode, 0)
        with open(os.path.join(site, "action-done.json"), encoding="ascii") as file:
            same(json.load(file)["result"], "too late: it was to begin earlier")
    finally:
        world.stop()


if __name__ == "__main__":
    main()
