"""The Debian package: installed, used as a partner would, and removed, in an overlay over this machine's own files, so
that nothing of the machine is changed. The overlay and all that runs in it are gone when the test is over."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import time

from tap import Skip, holds, main, same, says

SOURCE = os.environ["KIZASHI_SOURCE"]
BUILD = os.path.dirname(os.path.dirname(os.path.dirname(os.environ["KIZASHI"])))
# Runs inside: a mount namespace whose root is the overlay, processes of its own, and a network with nothing but
# loopback.
ENTER = """
set -e
ip link set lo up
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
mount -t tmpfs tmpfs "$1/root/tmp"
mount -t tmpfs tmpfs "$1/root/run"
mkdir "$1/root/tmp/packages"
cp "$2"/*.deb "$1/root/tmp/packages"
mkdir -p "$1/root/usr/lib/kizashi"
touch "$1/root/usr/lib/kizashi/libchdb.so"
mount --bind "$3" "$1/root/usr/lib/kizashi/libchdb.so"
exec chroot "$1/root" sh -c 'while read -r line; do sh -c "$line" </dev/null; echo "=== $?"; done' 2>&1
"""


class Machine:
    """A machine to install on; `do` runs a line of shell there as root."""

    def __init__(self, packages, library):
        self.folder = tempfile.mkdtemp(prefix="kizashi-machine-")
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "sh", self.folder,
             packages, library], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"})

    def do(self, line, status=0):
        print(line, file=self.process.stdin, flush=True)
        said = []
        for answer in self.process.stdout:
            found = re.fullmatch(r"(.*)=== (\d+)\n", answer)
            if found:
                said.append(found[1])
                same(int(found[2]), status, line + "\n" + "".join(said))
                return "".join(said)
            said.append(answer)
        raise AssertionError(f"the machine ended at {line}: {''.join(said)}")

    def wait_for(self, line, part, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            said = self.do(f"{line} || true")
            if part in said:
                return said
            time.sleep(0.2)
        raise AssertionError(f"{line} never said {part}: {said}")

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        shutil.rmtree(self.folder, ignore_errors=True)


def library_of_store():
    said = json.loads(subprocess.run([os.environ["KIZASHI"], "doctor", "--json"], capture_output=True, text=True,
                                     check=False).stdout)
    row = next(row for row in said if row["check"] == "store library")
    found = re.search(r"/\S+libchdb\.so", row["found"])
    if row["state"] != "ok" or not found:
        raise Skip("libchdb.so is not installed")
    return found[0]


def packed(folder):
    """What script/package makes of this build."""
    for program in ("dh", "unshare", "dpkg-deb"):
        if not shutil.which(program):
            raise Skip(f"{program} is not installed")
    if os.geteuid() != 0:
        raise Skip("only root makes namespaces and installs")
    done = subprocess.run([f"{SOURCE}/script/package", "--no-bootstrap", "--no-store", "--build", BUILD, "--out", folder],
                          capture_output=True, text=True, check=False)
    if "without --prefix=/usr" in done.stderr:
        raise Skip("this build was set up without --prefix=/usr")
    same(done.returncode, 0, done.stderr)
    return done.stdout.split()[0]


@says("a partner installs one package, gives one token, and his packets are at the hub; nothing is started unasked")
def partner(folder):
    library = library_of_store()
    package = packed(folder)
    if shutil.which("lintian"):
        done = subprocess.run(["lintian", "--fail-on", "error,warning", "--info", package], capture_output=True,
                              text=True, check=False)
        same(done.returncode, 0, done.stdout)
    machine = Machine(folder, library)
    try:
        machine.do("rm -rf /usr/local/lib/systemd && dpkg --install /tmp/packages/kizashi_*.deb")
        same(machine.do("pgrep -x kizashi || true"), "")
        same(machine.do("ls /etc/systemd/system/*/ | grep kizashi || true"), "")
        same(machine.do("stat -c %U:%a /var/lib/kizashi /var/lib/kizashi-sensor").split(), ["kizashi:750", "kizashi:700"])
        machine.do("systemd-analyze verify /lib/systemd/system/kizashi*.service")
        holds(machine.do("man -w kizashi-site-enrol kizashi-engine-surge"), "/usr/share/man")

        # A hub on the same machine, as its unit would start it; the store's library is where kizashi-store puts it.
        machine.do("cd /var/lib/kizashi && printf 'sites: 127.0.0.1:4222\\n' >>/etc/kizashi/hub.yaml && "
                   "(kizashi hub --config /etc/kizashi/hub.yaml >/tmp/hub.log 2>&1 & echo $! >/tmp/hub.pid)")
        machine.wait_for("cat /tmp/hub.log", "Portal: http://127.0.0.1:8480/", 120)
        machine.do("runuser -u kizashi -- kizashi site add jp-01 --data /var/lib/kizashi --quiet >/tmp/token")
        machine.do("runuser -u kizashi -- kizashi site enrol --data /var/lib/kizashi-sensor --hub http://127.0.0.1:8480 "
                   "--token-file - </tmp/token")
        same(machine.do("stat -c %U:%a /var/lib/kizashi-sensor/key.pem"), "kizashi:600\n")
        machine.do("printf 'interface: lo\\nfilter: udp dst port 4272\\n' >>/etc/kizashi/sensor.yaml")
        machine.do("cd /var/lib/kizashi-sensor && (kizashi sensor --config /etc/kizashi/sensor.yaml "
                   ">/tmp/sensor.log 2>&1 & echo $! >/tmp/sensor.pid)")
        machine.wait_for("cat /tmp/sensor.log", "bus.connected")
        same(machine.do("ps -o user= -C kizashi | sort -u"), "kizashi\n")
        machine.do("python3 -c 'import socket; s = socket.socket(2, 2); [s.sendto(b\"x\", (\"127.0.0.1\", 4272)) "
                   "for _ in range(25)]'")
        machine.wait_for("kizashi stats --data /var/lib/kizashi --json", '"packets":25')

        for name in ("sensor", "hub"):
            machine.do(f"kill $(cat /tmp/{name}.pid); while kill -0 $(cat /tmp/{name}.pid); do sleep 0.1; done 2>&-")
        machine.do("dpkg --purge kizashi")
        same(machine.do("find /usr /lib /etc -xdev -name '*kizashi*' ! -path '/usr/lib/kizashi*' "
                        "! -path '/usr/local/*' ! -path '/usr/share/doc/*' || true"), "")
        machine.do("test -f /var/lib/kizashi-sensor/key.pem && test -d /var/lib/kizashi/bus")
    finally:
        machine.close()


if __name__ == "__main__":
    main()
