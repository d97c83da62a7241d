"""From a site to the hub, end to end: packets a second, processor time and bytes of the wire a packet.

    sites.py KIZASHI WORK CAPTURE [--policy default|keep] [--engines LIST] [--rounds N]

One `kizashi sensor --read CAPTURE` with its spool, one nats-server with mutual TLS and JetStream, one `kizashi hub` with its
store, on loopback, all real. The clock runs from the start of the sensor to its end, which is when the hub has stored the last
packet durably. Bytes are those of the sensor's TCP connection, as the kernel counts them.
"""

import argparse
import os
import re
import shutil
import socket
import subprocess
import threading
import time

TICK = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def cpu_of(pid):
    """Seconds of processor time of a process so far, all its threads."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def peak_of(pid):
    """Most memory that a process has had, MiB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1)) / 1024


def server_of(config):
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
        except (OSError, ValueError):
            continue
        if words[0].endswith(b"nats-server") and config.encode() in words:
            return int(name)
    return None


class Wire(threading.Thread):
    """Bytes that the connections to a port have sent, looked up ten times a second."""

    def __init__(self, port, pid):
        super().__init__(daemon=True)
        self.port, self.pid, self.sent, self.over = port, pid, 0, threading.Event()

    def run(self):
        while not self.over.wait(0.1):
            done = subprocess.run(["ss", "-tinpH", f"dport = :{self.port}"], capture_output=True, text=True, check=False)
            lines = done.stdout.splitlines()
            for who, figures in zip(lines[::2], lines[1::2]):
                found = re.search(r"bytes_sent:(\d+)", figures)
                if f"pid={self.pid}," in who and found:
                    self.sent = max(self.sent, int(found.group(1)))


def until(what, condition, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise SystemExit(f"sites: waited in vain for {what}")


def run(*words):
    done = subprocess.run([KIZASHI, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"sites: {' '.join(words[:2])}: {done.stderr}")
    return done.stdout


def once(options, work):
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    port = free_port()
    log_path = f"{work}/hub.log"
    with open(log_path, "w", encoding="utf-8") as log:
        hub = subprocess.Popen([KIZASHI, "hub", "--data", f"{work}/hub", "--listen", "127.0.0.1:0", "--user", "root", "--sites",
                                f"127.0.0.1:{port}", "--engines", options.engines], stdout=log, stderr=log)
    read = lambda: open(log_path, encoding="utf-8").read()
    try:
        url = until("the portal", lambda: re.search(r"Portal: (\S+)/\n", read())).group(1)
        token = run("site", "add", "bench", "--data", f"{work}/hub", "--quiet").strip()
        run("site", "enrol", "--data", f"{work}/site", "--hub", url, "--token", token)
        until("the site at the hub", lambda: "site.awaited" in read())
        server = until("the message server", lambda: server_of(f"{work}/hub/bus/nats.conf"))
        before = cpu_of(hub.pid), cpu_of(server)
        began = time.monotonic()
        with open(f"{work}/sensor.log", "w", encoding="utf-8") as log:
            sensor = subprocess.Popen([KIZASHI, "sensor", "--data", f"{work}/site", "--user", "root", "--read", options.capture,
                                       *(["--policy", "keep"] if options.policy == "keep" else [])], stdout=log, stderr=log)
        wire = Wire(port, sensor.pid)
        wire.start()
        _, status, used = os.wait4(sensor.pid, 0)
        wall = time.monotonic() - began
        wire.over.set()
        if status:
            raise SystemExit(f"sites: the sensor failed: {open(f'{work}/sensor.log', encoding='utf-8').read()}")
        hub_cpu, server_cpu = cpu_of(hub.pid) - before[0], cpu_of(server) - before[1]
        until("the packets", lambda: count_of(work) >= options.packets)
        rows = count_of(work)
        return {"packets": rows, "wall": wall, "sensor": used.ru_utime + used.ru_stime, "server": server_cpu, "hub": hub_cpu,
                "wire": wire.sent, "hub_peak": peak_of(hub.pid), "sensor_peak": used.ru_maxrss / 1024}
    finally:
        hub.terminate()
        hub.wait(60)
        shutil.rmtree(work, ignore_errors=True)


def count_of(work):
    found = re.search(r'"packets":\s*(\d+)', run("stats", "--data", f"{work}/hub", "--json"))
    return int(found.group(1)) if found else 0


def frames_of(path):
    """Frames of a capture file of the classic form."""
    done = subprocess.run(["tcpdump", "-r", path, "--count"], capture_output=True, text=True, check=False)
    return int(re.search(r"(\d+) packet", done.stdout + done.stderr).group(1))


def main():
    global KIZASHI
    parser = argparse.ArgumentParser()
    parser.add_argument("kizashi")
    parser.add_argument("work")
    parser.add_argument("capture")
    parser.add_argument("--policy", choices=["default", "keep"], default="default")
    parser.add_argument("--engines", default="none")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    KIZASHI = os.path.abspath(options.kizashi)
    options.capture = os.path.abspath(options.capture)
    options.packets = frames_of(options.capture)
    work = os.path.abspath(options.work)
    for _ in range(options.rounds):
        r = once(options, work)
        n = r["packets"]
        whole = r["sensor"] + r["server"] + r["hub"]
        print(f"sites-{options.policy:<8} {n / r['wall']:10.0f} packets/s  wall {r['wall']:.2f} s  CPU ns/packet: sensor "
              f"{r['sensor'] / n * 1e9:.0f} server {r['server'] / n * 1e9:.0f} hub {r['hub'] / n * 1e9:.0f} (all {whole:.2f} s)"
              f"  wire {r['wire'] / n:.2f} bytes/packet  memory MiB: sensor {r['sensor_peak']:.0f} hub {r['hub_peak']:.0f}",
              flush=True)


main()
