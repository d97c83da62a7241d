"""Power over IPMI (Debian's ipmi_sim) and Redfish (a service made here), on loopback. The hub does not run: its
catalogue is made by the command that needs it."""

import base64
import http.server
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import threading
import time
import urllib.error
import urllib.request

from tap import KIZASHI, Skip, holds, main, run, same, says

PASSWORD = "a-password"


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Site:
    """A data folder with a catalogue and a secret."""

    def __init__(self, folder):
        self.folder = folder
        open(os.path.join(folder, "catalog.sqlite"), "wb").close()
        self.secret = os.path.join(folder, "jp-01.bmc")
        self.write_secret(PASSWORD)

    def write_secret(self, text, mode=0o600):
        with open(self.secret, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        os.chmod(self.secret, mode)

    def power(self, *arguments):
        return run("site", "power", "jp-01", "--data", self.folder, *arguments)

    def rows(self, sql):
        with sqlite3.connect(os.path.join(self.folder, "catalog.sqlite")) as c:
            return c.execute(sql).fetchall()


class Simulator:
    """ipmi_sim: one controller whose chassis is a script that keeps its state in a file."""

    def __init__(self, folder):
        if not shutil.which("ipmi_sim"):
            raise Skip("ipmi_sim (Debian's openipmi) is not installed")
        helper = os.path.join(os.path.dirname(os.path.realpath(KIZASHI)), "..", "fleet", "kizashi-ipmi")
        if not os.path.exists(helper):
            raise Skip("kizashi-ipmi was not built: libfreeipmi-dev is missing")
        self.port = free_port(socket.SOCK_DGRAM)
        self.log = os.path.join(folder, "chassis.log")
        script = os.path.join(folder, "chassis")
        state = os.path.join(folder, "chassis.state")
        with open(script, "w", encoding="ascii") as file:
            file.write(f"""#!/bin/sh
echo "$@" >> {self.log}
shift
op=$1; shift
if [ "$op" = get ]; then echo "power:$(cat {state} 2>/dev/null || echo 0)"; fi
if [ "$op" = set ] && [ "$1" = power ]; then echo "$2" > {state}; fi
if [ "$op" = check ]; then exit 0; fi
exit 0
""")
        os.chmod(script, 0o700)
        with open(os.path.join(folder, "lan.conf"), "w", encoding="ascii") as file:
            file.write(f"""name "bmc"
set_working_mc 0x20
  startlan 1
    addr 127.0.0.1 {self.port}
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid a123456789abcdefa123456789abcdef
  endlan
  chassis_control "{script} 0x20"
  user 1 true "" "test" user 10 none md2 md5 straight
  user 2 true "ann" "{PASSWORD}" admin 10 none md2 md5 straight
""")
        with open(os.path.join(folder, "bmc.emu"), "w", encoding="ascii") as file:
            file.write("mc_setbmc 0x20\n"
                       "mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02\n"
                       "sel_enable 0x20 1000 0x0a\nmc_enable 0x20\n")
        self.process = subprocess.Popen(
            ["ipmi_sim", "-c", os.path.join(folder, "lan.conf"), "-f", os.path.join(folder, "bmc.emu"),
             "-s", os.path.join(folder, "persist"), "-n"],
            stdin=subprocess.PIPE, stdout=open(os.path.join(folder, "sim.log"), "w", encoding="ascii"),
            stderr=subprocess.STDOUT)
        time.sleep(0.5)

    def stop(self):
        self.process.kill()
        self.process.wait()

    def chassis(self):
        with open(self.log, encoding="ascii") as file:
            return [line.split(None, 1)[1].strip() for line in file]


class Redfish(http.server.BaseHTTPRequestHandler):
    on = False
    resets = []

    def log_message(self, *_):
        pass

    def say(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def known(self):
        want = "Basic " + base64.b64encode(f"ann:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") == want:
            return True
        self.say(401, {"error": {}})
        return False

    def do_GET(self):
        if not self.known():
            return
        if self.path == "/redfish/v1/Systems":
            self.say(200, {"Members": [{"@odata.id": "/redfish/v1/Systems/1"}]})
        elif self.path == "/redfish/v1/Systems/1":
            self.say(200, {"PowerState": "On" if Redfish.on else "Off", "Actions": {"#ComputerSystem.Reset": {
                "target": "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset"}}})
        else:
            self.say(404, {})

    def do_POST(self):
        if not self.known():
            return
        kind = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["ResetType"]
        Redfish.resets.append(kind)
        Redfish.on = kind in ("On", "PowerCycle", "ForceRestart")
        self.say(200, {})


def redfish():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Redfish)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Redfish.on, Redfish.resets = False, []
    return server, f"http://127.0.0.1:{server.server_address[1]}"


@says("IPMI: the power is asked for, switched and told; each switching is confirmed and noted")
def ipmi(folder):
    site = Site(folder)
    simulator = Simulator(folder)
    try:
        done = site.power("--ipmi", f"127.0.0.1:{simulator.port}", "--user", "ann", "--secret-file", site.secret)
        same(done.returncode, 0, done.stderr)
        same(site.power().stdout, "jp-01: power is off\n", site.power().stderr)
        refused = site.power("on")
        same(refused.returncode, 1)
        holds(refused.stderr, "give --confirm jp-01")
        same(site.power("on", "--confirm", "kr-01").returncode, 1)
        same("set power 1" in simulator.chassis(), False)
        same(site.power("on", "--confirm", "jp-01").stdout, "jp-01: power is on\n")
        same("set power 1" in simulator.chassis(), True)
        same(site.power("off", "--confirm", "jp-01").stdout, "jp-01: power is off\n")
        site.write_secret("another")
        wrong = site.power()
        same(wrong.returncode, 1)
        holds(wrong.stderr, f"127.0.0.1:{simulator.port}: ")
        same([row[0] for row in site.rows("SELECT what FROM site_action ORDER BY id")], ["power-on", "power-off"])
        same(len(site.rows("SELECT 1 FROM audit WHERE what LIKE 'site.power%' AND subject = 'jp-01'")), 3)
        same(all(row[0] for row in site.rows("SELECT finished FROM site_action")), True)
    finally:
        simulator.stop()


@says("Redfish: every action has its reset, and a wrong password is told as such")
def over_redfish(folder):
    site = Site(folder)
    server, url = redfish()
    try:
        done = site.power("--redfish", url, "--user", "ann", "--secret-file", site.secret)
        same(done.returncode, 0, done.stderr)
        same(site.power().stdout, "jp-01: power is off\n")
        for action, on in (("on", "on"), ("reset", "on"), ("cycle", "on"), ("shutdown", "off"), ("off", "off")):
            done = site.power(action, "--confirm", "jp-01")
            same(done.stdout, f"jp-01: power is {on}\n", done.stderr)
        same(Redfish.resets, ["On", "ForceRestart", "PowerCycle", "GracefulShutdown", "ForceOff"])
        site.write_secret("another")
        wrong = site.power("on", "--confirm", "jp-01")
        same(wrong.returncode, 1)
        holds(wrong.stderr, "refuses the user or the password")
        holds(site.rows("SELECT result FROM site_action ORDER BY id DESC LIMIT 1")[0][0], "refuses the user")
    finally:
        server.shutdown()
        server.server_close()
    gone = site.power()
    same(gone.returncode, 1)
    holds(gone.stderr, "connect")


class Portal:
    """A hub with --switch-power, and what its portal would send."""

    def __init__(self, folder):
        self.process = subprocess.Popen([KIZASHI, "hub", "--data", folder, "--listen", "127.0.0.1:0", "--switch-power"],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = next(line for line in self.process.stdout if line.startswith("Portal: "))[8:].strip()
        with open(os.path.join(folder, "hub-address"), encoding="ascii") as file:
            self.token = file.read().split()[1]

    def ask(self, path, **body):
        request = urllib.request.Request(
            self.url + "api/v1/fleet/jp-01/" + path, json.dumps(body).encode() if body else None,
            {"Authorization": "Bearer " + self.token, "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def stop(self):
        self.process.terminate()
        same(self.process.wait(60), 0)


@says("from the portal: the hub has power switched by a process beside it, over IPMI and Redfish, and keeps who asked")
def by_portal(folder):
    if not any(row["check"] == "store library" and row["state"] == "ok"
               for row in json.loads(run("doctor", "--json").stdout)):
        raise Skip("libchdb.so is not installed")
    site = Site(folder)
    simulator = Simulator(folder)
    server, url = redfish()
    portal = Portal(folder)
    try:
        same(portal.ask("power"), (200, {"kind": None, "allowed": True, "address": None, "user": None}))
        same(portal.ask("power", action="status")[0], 404)
        site.power("--ipmi", f"127.0.0.1:{simulator.port}", "--user", "ann", "--secret-file", site.secret)
        same(portal.ask("power"),
             (200, {"kind": "ipmi", "allowed": True, "address": f"127.0.0.1:{simulator.port}", "user": "ann"}))
        same(portal.ask("power", action="status"), (200, {"on": False}))
        same(portal.ask("power", action="on", confirm="kr-01")[0], 400)
        same("set power 1" in simulator.chassis(), False)
        same(portal.ask("power", action="on", confirm="jp-01"), (200, {"on": True}))
        same("set power 1" in simulator.chassis(), True)
        site.power("--redfish", url, "--user", "ann", "--secret-file", site.secret)
        same(portal.ask("power", action="cycle", confirm="jp-01"), (200, {"on": True}))
        same(Redfish.resets, ["PowerCycle"])
        site.write_secret("another")
        status, problem = portal.ask("power", action="off", confirm="jp-01")
        same(status, 502)
        holds(problem["detail"], "refuses the user or the password")
        same(Redfish.resets, ["PowerCycle"])
        same(site.rows("SELECT what, who, result = '' FROM site_action ORDER BY id"),
             [(what, "token:command-line", int(good)) for what, good in
              (("power-on", True), ("power-cycle", True), ("power-off", False))])
        same(site.rows("SELECT count(*) FROM audit WHERE who = 'token:command-line' AND subject = 'jp-01'"), [(3,)])
    finally:
        portal.stop()
        simulator.stop()
        server.shutdown()
        server.server_close()


@says("a secret that others may read, or an address that is none, is refused before anybody is asked")
def careful(folder):
    site = Site(folder)
    address = ("--ipmi", "192.0.2.7", "--user", "ann", "--secret-file", site.secret)
    site.write_secret(PASSWORD, 0o640)
    holds(site.power(*address).stderr, "chmod 600")
    site.write_secret("")
    holds(site.power(*address).stderr, "first line is empty")
    site.write_secret(PASSWORD)
    holds(site.power("--redfish", "http://192.0.2.7", *address[2:]).stderr, "https://192.0.2.7")
    holds(site.power("--redfish", "http://127.0.0.1:80@192.0.2.7", *address[2:]).stderr, "https://192.0.2.7")
    whole = "A" * 43 + "="
    for pin in ("", "sha256//AAAA", f"sha256//{whole}A", f"sha256//{whole[:-1]}", site.secret):
        holds(site.power("--redfish", f"https://192.0.2.7#{pin}", *address[2:]).stderr, "a pin is sha256// and")
    same(site.power("--redfish", f"https://192.0.2.7#sha256//{whole}", *address[2:]).returncode, 0)
    holds(site.power("--ipmi", "a b", *address[2:]).stderr, "is no address")
    holds(site.power("--ipmi", "192.0.2.7").stderr, "--user and --secret-file")
    same(site.power("--forget").returncode, 0)
    holds(site.power().stderr, "nobody said where the power of jp-01 is switched")
    holds(site.power("explode").stderr, "status, on, off, shutdown, cycle or reset")
    same(site.power(*address).returncode, 0)
    same(site.rows("SELECT kind, address, user, secret FROM site_power"),
         [("ipmi", "192.0.2.7", "ann", os.path.realpath(site.secret))])
    same(PASSWORD in open(os.path.join(folder, "catalog.sqlite"), "rb").read().decode("latin-1"), False)
    same(site.power("--forget").returncode, 0)
    same(site.rows("SELECT 1 FROM site_power"), [])


if __name__ == "__main__":
    main()
