"""A hub, its message server and sensors as processes on loopback, for the tests and the soak."""

import glob
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import time

from tap import KIZASHI, Skip, run, same

SITE = "kr-01"


def holds(condition, *what):
    assert condition, " ".join(str(part) for part in what)


def need_server():
    if not shutil.which("nats-server") and not os.path.exists("/usr/sbin/nats-server"):
        raise Skip("nats-server is not installed")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Hub:
    """A hub with its own message server; it may be killed and started again on the same folder."""

    def __init__(self, folder, *more, bus=()):
        self.folder, self.port, self.api, self.more = folder, free_port(), free_port(), more
        self.bus = bus or ("--sites", f"127.0.0.1:{self.port}")
        self.process = None
        self.start()

    def start(self):
        with open(self.folder + ".log", "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [KIZASHI, "hub", "--data", self.folder, "--listen", f"127.0.0.1:{self.api}", "--user", "root", *self.bus,
                 *map(str, self.more)], stdout=log, stderr=subprocess.STDOUT)
        self.begun = getattr(self, "begun", 0) + 1
        found = self.wait_for(lambda: (lines := re.findall(r"Portal: (\S+)/\n", self.log()))[self.begun - 1:] and lines)
        self.url = found[-1]

    def log(self):
        with open(self.folder + ".log", encoding="utf-8") as file:
            return file.read()

    def server_config(self):
        """What the message server is told; empty until the hub has told it something."""
        try:
            with open(f"{self.folder}/bus/nats.conf", encoding="ascii") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    @staticmethod
    def wait_for(condition, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = condition()
            if found:
                return found
            time.sleep(0.1)
        raise AssertionError("waited in vain")

    def enrol(self, site, folder):
        token = run("site", "add", site, "--data", self.folder, "--quiet").stdout
        done = run("site", "enrol", "--data", folder, "--hub", self.url, "--token-file", "-", stdin=token)
        same(done.returncode, 0, done.stderr)

    def packets(self):
        """Rows in the store, as the hub tells them."""
        done = run("stats", "--data", self.folder, "--json")
        same(done.returncode, 0, done.stderr)
        return json.loads(done.stdout.splitlines()[0])["packets"] if done.stdout.strip() else 0

    def has_exactly(self, count):
        """Answers are kept for a moment: wait for the number, and see that it stays."""
        end = time.monotonic() + 30
        while self.packets() != count and time.monotonic() < end:
            time.sleep(0.5)
        time.sleep(2)
        same(self.packets(), count)

    def servers(self):
        """Process ids of the message server."""
        found = []
        for line in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                with open(line, "rb") as file:
                    if f"{self.folder}/bus/nats.conf".encode() in file.read():
                        found.append(int(line.split("/")[2]))
            except OSError:
                pass
        return found

    def kill(self):
        self.process.kill()
        self.process.wait()
        # Its keeper ends the message server when it sees that the hub is gone.
        self.wait_for(lambda: not self.servers(), 20)

    def stop(self):
        self.process.terminate()
        same(self.process.wait(timeout=60), 0, self.log()[-2000:])


def simulated(folder):
    """A capture of two days with planted events, and its path."""
    done = run("simulate", "telescope", "--out", f"{folder}/sim", "--sites", 2, "--days", 2, "--seed", 3, "--prefix", 24,
               "--scale", 0.3)
    same(done.returncode, 0, done.stderr)
    return f"{folder}/sim/{SITE}.pcap"


def sensor(folder, *arguments, log=subprocess.PIPE):
    return subprocess.Popen([KIZASHI, "sensor", "--data", folder, "--policy", "keep", "--user", "root",
                             *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=log, text=True)


def spooled(folder):
    """Number of the last whole entry in a site's spool."""
    last = 0
    for path in sorted(glob.glob(f"{folder}/spool/*.spool")):
        with open(path, "rb") as file:
            raw = file.read()
        at = 32
        while at + 48 <= len(raw):
            magic, length, number = struct.unpack_from("<IIQ", raw, at)
            at += 48 + length
            if magic != 0x31525A4B or at > len(raw):
                break
            last = number
    return last
