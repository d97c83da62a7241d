"""Network boot and reinstallation: what `kizashi site image` generates is taken by the programs that it is for, and a
virtual machine boots from it, in a network namespace of its own that leads nowhere."""

import os
import shutil
import stat
import subprocess
import time

from tap import Skip, holds, main, run, same, says

INSTALLER = "/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64"
TOKEN = "kz1." + "A" * 43 + "." + "0" * 64
MAC = "52:54:00:12:34:56"
VALUES = {
    "interface": "tap0", "server": "10.9.0.1", "first": "10.9.0.50", "last": "10.9.0.60", "gateway": "10.9.0.1",
    "nameserver": "10.9.0.1", "mac": MAC,
    "mirror": "debian.example.org", "capture": "eth1", "hub": "https://hub.example.org:8480"}


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Skip(f"{program} is not installed")


def make(folder, **more):
    """The finished command and its folder; boot and installer files are stand-ins unless they are given."""
    stand_in = os.path.join(folder, "stand-in")
    os.makedirs(stand_in, exist_ok=True)
    for name in ("undionly.kpxe", "ipxe.efi", "linux", "initrd.gz", "kizashi.deb"):
        with open(os.path.join(stand_in, name), "wb") as file:
            file.write(name.encode())
    token = os.path.join(folder, "token")
    with open(token, "w", encoding="ascii") as file:
        file.write(TOKEN + "\n")
    key = os.path.join(folder, "key.pub")
    with open(key, "w", encoding="ascii") as file:
        file.write("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI user@host\n")
    options = {**VALUES, "boot": stand_in, "installer": stand_in, "token-file": token, "ssh-key-file": key,
               "package": os.path.join(stand_in, "kizashi.deb"), **more}
    out = os.path.join(folder, "out")
    words = [word for name, value in options.items() if value is not None for word in (f"--{name}", value)]
    return run("site", "image", "jp-01", "--out", out, *words), out


def read(*parts):
    with open(os.path.join(*parts), encoding="utf-8") as file:
        return file.read()


@says("the folder is whole, its owner's alone, and nothing in it is left to fill in")
def whole(folder):
    done, out = make(folder)
    same(done.returncode, 0, done.stderr)
    files = sorted(os.path.relpath(os.path.join(d, f), out) for d, _, names in os.walk(out) for f in names)
    same(files, ["dnsmasq.conf", "http/boot.ipxe", "http/initrd.gz", "http/kizashi.deb", "http/linux",
                 "http/preseed.cfg", "http/site.sh", "serve", "tftp/ipxe.efi", "tftp/undionly.kpxe"])
    same(stat.S_IMODE(os.stat(out).st_mode), 0o700)
    for name in ("dnsmasq.conf", "serve", "http/boot.ipxe", "http/preseed.cfg", "http/site.sh"):
        text = read(out, name)
        same([word for word in text.split("@")[1::2] if word.isidentifier()], [], name)
    holds(read(out, "http/site.sh"), "token='" + TOKEN + "'")
    holds(read(out, "http/site.sh"), "user@host'")
    holds(read(out, "http/preseed.cfg"), "partman-auto/disk string /dev/sda\n")
    same(make(folder)[0].returncode, 2)  # the folder is there


@says("filter, policy and authority of the hub come into the new system's configuration")
def configured(folder):
    policy = os.path.join(folder, "jp-01.json")
    same(run("site", "policy", "--destination", "hash", "--for", "engines", "--output", policy).returncode, 0)
    authority = os.path.join(folder, "authority.pem")
    with open(authority, "w", encoding="ascii") as file:
        file.write("-----BEGIN CERTIFICATE-----\n")
    done, out = make(folder, **{"filter": "dst net 198.51.100.0/24 and (tcp or udp)", "policy": policy,
                                "hub-ca": authority})
    same(done.returncode, 0, done.stderr)
    same(read(out, "http", "policy.json"), read(policy))
    same(read(out, "http", "hub-ca.pem"), read(authority))
    system = os.path.join(folder, "system")  # the script's own words, with the roots of that system changed
    os.makedirs(os.path.join(system, "etc"))
    text = read(out, "http/site.sh")
    begin, end = text.index("filter="), text.index('if [ -n "$token" ]')
    fetch = "fetch() {\n    cp '" + out + "/http/'\"$1\" \"$2/$1\"\n}\n"
    part = text[begin:text.index("fetch()")] + fetch + text[text.index("mkdir -p /etc/kizashi"):end]
    done = subprocess.run(["sh", "-eu"], input=part.replace("/etc/kizashi", f"{system}/etc/kizashi"),
                          capture_output=True, text=True, check=False)
    same(done.returncode, 0, done.stderr)
    written = read(system, "etc/kizashi/sensor.yaml").replace(system, "")
    same(written, "data: /var/lib/kizashi-sensor\ninterface: eth1\n"
         "filter: 'dst net 198.51.100.0/24 and (tcp or udp)'\npolicy: /etc/kizashi/policy.json\n")
    holds(text, "--hub https://hub.example.org:8480 --hub-ca /etc/kizashi/hub-ca.pem --token-file")
    same(os.path.exists(os.path.join(system, "etc/kizashi/hub-ca.pem")), True)


@says("what will not do is said with what will, and a file that is missing with the package that has it")
def explained(folder):
    for name, value, words in (
            ("hub", "http://hub.example.org:8480", "https:// and a host are needed"),
            ("mac", "52:54", "six pairs of hexadecimal digits are needed, such as 52:54:00:12:34:56"),
            ("boot", "/nowhere", "Debian's package ipxe has it, --boot names another folder"),
            ("token-file", os.__file__, "that is no token"), ("hub", None, "--hub must be given")):
        done, out = make(folder, **{name: value})
        same(done.returncode, 2, (name, value))
        holds(done.stderr, words)
        same(os.path.exists(out), False)


@says("what could mean something to a shell, to dnsmasq or to the installer is refused")
def hostile(folder):
    for name, value in (("mac", "52:54:00:12:34:5g"), ("mac", "52:5400::12:34:56"), ("last", "10.9.0.49"), ("server", "10.9.0.1\nport=53"), ("disk", "/dev/sda;reboot"),
                        ("hub", "http://hub.example.org"), ("hub", "https://hub/$(id)"), ("capture", "eth0'"),
                        ("mirror", "a b"), ("port", "70000"), ("interface", "-x"), ("server", "10.9.0.999"),
                        ("filter", "dst net 198.51.100.0/24'"), ("filter", "dst host example.org"),
                        ("policy", __file__), ("hub-ca", os.__file__), ("hub-ca", "/nowhere"),
                        ("mac", None), ("token-file", "/nowhere"), ("token-file", os.__file__)):
        done, out = make(folder, **{name: value})
        same(done.returncode, 2, (name, value))
        holds(done.stderr, value if value and os.path.isabs(value) else name)
        same(os.path.exists(out), False)
    done = run("site", "image", "jp/01", "--out", os.path.join(folder, "x"))
    same(done.returncode, 2)


@says("dnsmasq, debconf and the shell take what was generated")
def taken(folder):
    need("dnsmasq", "debconf-set-selections")
    done, out = make(folder)
    same(done.returncode, 0, done.stderr)
    checks = [["dnsmasq", "--test", "-C", f"{out}/dnsmasq.conf"],
              ["debconf-set-selections", "-c", f"{out}/http/preseed.cfg"],
              ["sh", "-n", f"{out}/http/site.sh"], ["sh", "-n", f"{out}/serve"]]
    if shutil.which("shellcheck"):
        checks.append(["shellcheck", f"{out}/http/site.sh", f"{out}/serve"])
    for check in checks:
        done = subprocess.run(check, capture_output=True, text=True, check=False)
        same(done.returncode, 0, done.stdout + done.stderr)


class Namespace:
    """A network of one host, 10.9.0.1, and one tap; there is no way out of it."""

    def __init__(self):
        self.name = f"kz-{os.getpid()}"
        self.run("ip", "netns", "add", self.name, inside=False)
        for words in ("link set lo up", "tuntap add tap0 mode tap", "addr add 10.9.0.1/24 dev tap0",
                      "link set tap0 up"):
            self.run("ip", *words.split())

    def run(self, *words, inside=True):
        subprocess.run([*(self.prefix() if inside else ()), *words], check=True, capture_output=True)

    def prefix(self):
        return ["ip", "netns", "exec", self.name]

    def close(self):
        subprocess.run(["ip", "netns", "del", self.name], check=False)


@says("a virtual machine without a disk boots from the network into the installer, which fetches its answers")
def boots(folder):
    need("qemu-system-x86_64", "dnsmasq", "ip")
    if os.geteuid() != 0:
        raise Skip("only root makes network namespaces")
    if not os.path.exists(f"{INSTALLER}/initrd.gz") or not os.path.exists("/usr/lib/ipxe/undionly.kpxe"):
        raise Skip("debian-installer-12-netboot-amd64 or ipxe is not installed")
    done, made = make(folder, boot=None, installer=None, package=None)
    same(done.returncode, 0, done.stderr)
    out = shutil.move(made, os.path.join(folder, "serving machine"))  # it may be copied elsewhere
    network = Namespace()
    processes = []
    log = os.path.join(folder, "serve.log")
    console = os.path.join(folder, "console.log")
    try:
        with open(log, "w", encoding="ascii") as file:
            processes.append(subprocess.Popen([*network.prefix(), f"{out}/serve"], stdout=file, stderr=file,
                                              start_new_session=True))
        time.sleep(2)
        accelerate = ["-machine", "accel=tcg", "-cpu", "max"]  # KVM is not to be had everywhere
        processes.append(subprocess.Popen(
            [*network.prefix(), "qemu-system-x86_64", *accelerate, "-m", "1024", "-display", "none", "-boot", "n",
             "-serial", f"file:{console}", "-monitor", "none",
             "-netdev", "tap,id=n,ifname=tap0,script=no,downscript=no", "-device", f"e1000,netdev=n,mac={MAC}"],
            stdout=subprocess.DEVNULL, stderr=open(os.path.join(folder, "qemu.log"), "w", encoding="ascii")))
        wanted = ["boot.ipxe", "linux", "initrd.gz", "preseed.cfg"]
        end = time.monotonic() + 280
        while time.monotonic() < end and not all(f"GET /{name}" in read(log) for name in wanted):
            same(processes[1].poll(), None, read(folder, "qemu.log"))
            time.sleep(1)
        came = [name for name in wanted if f"GET /{name}" in read(log)]
        print(f"# the machine fetched {', '.join(came)}")
        same(came, wanted, read(log)[-2000:])
    finally:
        for process in reversed(processes):
            subprocess.run(["kill", "--", f"-{process.pid}" if process is processes[0] else str(process.pid)],
                           check=False, capture_output=True)
            process.wait()
        network.close()


if __name__ == "__main__":
    main()
