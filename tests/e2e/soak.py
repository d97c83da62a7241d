"""Sites under load while processes are killed, for as long as is asked; counts are compared at the end.

    soak.py --hours H [--sites N] [--seed S] [--data DIR]

Each site sends a simulated capture again and again, with pauses. Faults come by a schedule that the seed gives: the message server killed
(sometimes with its disk wiped), the hub killed, a sensor killed; each with SIGKILL. It is timed how long it takes until packets
go into the hub's store again. At the end every packet that was in a spool must be in the store, once. Where the caller is root,
one more site watches the loopback interface, renews its certificate every 80 seconds, and must miss nothing.
"""

import argparse
import json
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time

from sites_lab import Hub, free_port, sensor, simulated
from tap import run

FAULTS = ["server", "server", "wipe", "hub", "hub", "sensor", "sensor"]


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def stored(folder):
    """Packets in the hub's store; -1: it does not answer."""
    try:
        done = run("stats", "--data", folder, "--json", timeout=600)
        return json.loads(done.stdout.splitlines()[0])["packets"] if done.returncode == 0 else -1
    except (IndexError, ValueError):
        return 0 if done.returncode == 0 else -1


class Site(threading.Thread):
    """Sends its capture until it is told to end. `expected`: packets that the hub has to have."""

    def __init__(self, folder, capture, packets):
        super().__init__(daemon=True)
        self.folder, self.capture, self.packets = folder, capture, packets
        self.expected = self.rounds = 0
        self.wrong, self.reading, self.recovered = None, None, []
        self.over, self.lock = threading.Event(), threading.Lock()

    def run(self):
        try:
            while not self.over.is_set():
                began = time.monotonic()
                self.once()
                self.over.wait(2 * (time.monotonic() - began))  # a hub that is always behind shows little
        except Exception as problem:  # noqa: BLE001 - told by the one who waits
            self.wrong = f"{self.folder}: {problem}"

    def once(self):
        more = ["--again"] if self.rounds else []
        while not self.read(more):
            killed = time.monotonic()
            _, errors = (rest := sensor(self.folder, "--drain")).communicate()
            if rest.returncode:
                raise RuntimeError(f"what was in the spool could not be sent: {errors[-500:]}")
            self.recovered.append(time.monotonic() - killed)
            more = []  # it goes on where it was
        self.expected += self.packets
        self.rounds += 1

    def read(self, more):
        """True when the hub has all of it; False if it was killed."""
        with self.lock:
            self.reading = sensor(self.folder, "--read", self.capture, *more)
        _, errors = self.reading.communicate()
        with self.lock:
            process, self.reading = self.reading, None
        if process.returncode == 2 and "--again" in errors and not more and self.rounds:
            return self.read(["--again"])  # the one before was killed when it had not begun
        if process.returncode not in (0, -signal.SIGKILL):
            raise RuntimeError(f"the sensor ended with {process.returncode}: {errors[-500:]}")
        return process.returncode == 0

    def kill(self):
        with self.lock:
            if self.reading and self.reading.poll() is None:
                self.reading.kill()


class Live(threading.Thread):
    """Packets on loopback, and a sensor that watches for them and is never killed."""

    def __init__(self, hub, folder):
        super().__init__(daemon=True)
        self.port, self.sent, self.over, self.renewed = free_port(), 0, threading.Event(), 0
        hub.enrol("soak-live", folder)
        self.certificate = f"{folder}/certificate.pem"
        self.log = open(f"{folder}.log", "w+", encoding="utf-8")
        self.process = sensor(folder, "--interface", "lo", "--filter", f"udp dst port {self.port}", log=self.log)
        Hub.wait_for(lambda: "bus.connected" in self.said())

    def said(self):
        with open(self.log.name, encoding="utf-8") as file:
            return file.read()

    def run(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            while not self.over.wait(0.02):
                out.sendto(b"soak", ("127.0.0.1", self.port))
                self.sent += 1

    def end(self):
        self.over.set()
        self.join()
        time.sleep(3)  # its batch is a second
        self.process.terminate()
        if self.process.wait(60):
            raise RuntimeError(f"the live sensor ended with {self.process.returncode}: {self.said()[-500:]}")
        self.renewed = self.said().count("certificate.renewed")


class Soak:
    def __init__(self, options, folder):
        self.options, self.folder, self.dice = options, folder, random.Random(options.seed)
        self.took = {"server": [], "wipe": [], "hub": [], "sensor": []}
        capture = simulated(folder)
        done = run("replay", "--data", f"{folder}/here", "--quiet", "--engines", "none", "--site", f"x={capture}")
        if done.returncode:
            raise SystemExit(f"soak: {done.stderr}")
        packets = stored(f"{folder}/here")
        self.hub = Hub(f"{folder}/hub", "--engines", "none", "--certificate-life", "2m")
        self.sites = []
        for number in range(options.sites):
            self.hub.enrol(f"soak-{number}", f"{folder}/site-{number}")
            self.sites.append(Site(f"{folder}/site-{number}", capture, packets))
        self.live = Live(self.hub, f"{folder}/live") if os.geteuid() == 0 else None

    def until_more(self, began, answered):
        """Seconds until packets go into the store again, after `answered` is true."""
        Hub.wait_for(answered, 120)
        count = -1
        while count < 0:
            count = stored(self.hub.folder)
        Hub.wait_for(lambda: stored(self.hub.folder) > count, 600)
        return time.monotonic() - began

    def fault(self, what):
        began = time.monotonic()
        if what == "sensor":
            self.dice.choice(self.sites).kill()
            say("sensor killed")
            return
        if what == "hub":
            self.hub.kill()
            began = time.monotonic()
            self.hub.start()
            self.took[what].append(self.until_more(began, lambda: True))
        else:
            old = self.hub.servers()
            for number in old:
                os.kill(number, signal.SIGKILL)
            if what == "wipe":
                shutil.rmtree(f"{self.hub.folder}/bus/jetstream", ignore_errors=True)
            self.took[what].append(self.until_more(began, lambda: [n for n in self.hub.servers() if n not in old]))
        say(f"{what}: packets go into the store again after {self.took[what][-1]:.1f} s")

    def check(self):
        for site in self.sites:
            if site.wrong:
                raise RuntimeError(site.wrong)

    def run(self):
        end = time.monotonic() + self.options.hours * 3600
        for site in self.sites + [self.live] * bool(self.live):
            site.start()
        faults = 0
        while time.monotonic() < end:
            time.sleep(self.dice.uniform(2, 15))
            self.check()
            self.fault(self.dice.choice(FAULTS))
            faults += 1
        for site in self.sites:
            site.over.set()
        for site in self.sites:
            site.join(600)
        self.check()
        expected = sum(site.expected for site in self.sites)
        if self.live:
            self.live.end()
            expected += self.live.sent
            say(f"the live site: {self.live.sent} packets, {self.live.renewed} certificates")
        Hub.wait_for(lambda: stored(self.hub.folder) >= expected, 120)
        time.sleep(3)
        return faults, expected, stored(self.hub.folder)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hours", type=float, default=1)
    parser.add_argument("--sites", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", help="folder to work in; kept")
    options = parser.parse_args()
    folder = options.data or tempfile.mkdtemp(prefix="kizashi-soak-")
    os.makedirs(folder, exist_ok=True)
    soak = Soak(options, folder)
    try:
        faults, expected, count = soak.run()
        soak.hub.stop()
    except BaseException as problem:
        soak.hub.process.kill()
        say(f"soak: FAILED, seed {options.seed}: {problem}; the folder is kept: {folder}")
        raise
    soak.took["sensor"] = [seconds for site in soak.sites for seconds in site.recovered]
    for what, times in soak.took.items():
        if times:
            say(f"{what}: killed {len(times)} times; back after {sorted(times)[len(times) // 2]:.1f} s in the median, "
                f"{max(times):.1f} at most")
    rounds = sum(site.rounds for site in soak.sites)
    if not options.data:
        shutil.rmtree(folder, ignore_errors=True)
    if expected != count:
        say(f"soak: FAILED, seed {options.seed}: {expected} packets were sent and {count} are in the store")
        return 1
    say(f"soak: passed, seed {options.seed}: {options.hours:g} h, {len(soak.sites)} sites, {rounds} captures, {faults} faults; "
        f"{count} packets sent, {count} in the store, 0 lost, 0 twice")
    return 0


sys.exit(main())
