"""kizashi replay on real and on simulated captures."""

import gzip
import json
import os
import re
import shutil
import struct
import subprocess

from tap import data, holds, main, run, same, says

SLP = "pcaps/scan/ndpi-srvloc427-real-scans.pcap"
MASSCAN = "pcaps/tool-generated/masscan-tcp.pcap"


def summary(*arguments, **more):
    done = run("replay", "--json", *arguments, **more)
    return done.returncode, json.loads(done.stderr.strip().splitlines()[-1]), done


@says("fifteen days of real SLP probes are counted to the packet")
def slp(_):
    status, seen, _done = summary("--site", "jp-01=" + data(SLP))
    same(status, 0)
    same(seen["packets"], 629)
    same(seen["ports"][0]["port"], 427)
    same(seen["ports"][0]["proto"], "udp")
    same(sum(seen["classes"].values()), 629)


@says("the summary says how long a capture is, what that is worth, and what a survey list matched")
def how_long(folder):
    done = run("replay", "--no-store", "--site", "jp-01=" + data(MASSCAN))
    holds(done.stderr, "10 minutes; most engines are silent in the first hour of a site\n")
    surveys = os.path.join(folder, "surveys.txt")
    with open(surveys, "w", encoding="ascii") as out:
        out.write("192.0.2.0/24\n37.40.101.196\n")
    done = run("replay", "--no-store", "--site", "jp-01=" + data(SLP), "--survey-list", surveys)
    holds(done.stderr, "  time          2023-06-01T11:10Z to 2023-06-")
    holds(done.stderr, " days\n")
    matched = re.search(r"survey lists  (\d+) packets came from the 2 addresses and prefixes of 1 list\n", done.stderr)
    same(int(matched.group(1)) > 0, True)


@says("a scan by masscan is named, and the evidence is printed")
def masscan(_):
    _status, seen, _done = summary(data(MASSCAN))
    tools = {tool["tool"]: tool for tool in seen["tools"]}
    assert "masscan" in tools, tools
    same(tools["masscan"]["sources"], 1)
    assert tools["masscan"]["evidence"], "no evidence"


@says("randomly spoofed packets name no tool")
def random_sources(_):
    for name in ("pcaps/tool-generated/hping3-syn-randsrc-100.pcap", "pcaps/ddos/stopddos-synflood-spoofed.pcap"):
        _status, seen, _done = summary(data(name))
        same([t for t in seen["tools"] if t["tool"] in ("masscan", "mirai", "zmap")], [], name)


@says("the same packets as pcap, pcapng and Linux cooked give the same summary")
def formats(_):
    seen = []
    for name in ("100.pcap", "100.pcapng", "100-sll.pcap"):
        _status, one, _done = summary(data("pcaps/robust/libtrace-" + name))
        seen.append((one["packets"], one["classes"], one["ports"], one["not_decoded"]))
    same(seen[1], seen[0])
    same(seen[2], seen[0])


@says("every capture of the collection is read to its end or refused with one line")
def all_captures(_):
    folder = data("pcaps")
    for where, _folders, files in os.walk(folder):
        for name in files:
            if not name.endswith((".pcap", ".pcapng", ".cap", ".gz")):
                continue
            done = run("replay", "--quiet", os.path.join(where, name))
            assert done.returncode in (0, 1, 2), (name, done.returncode, done.stderr)
            same(len(done.stderr.splitlines()), 0 if done.returncode == 0 else 1, (name, done.stderr))


@says("a plain, a gzip and a piped capture give the same summary")
def packings(folder):
    path = data(SLP)
    packed = os.path.join(folder, "a.pcap.gz")
    with open(path, "rb") as plain, gzip.open(packed, "wb") as out:
        shutil.copyfileobj(plain, out)
    plain = summary("--site", "a=" + path)[1]
    fifo = os.path.join(folder, "fifo")
    os.mkfifo(fifo)
    with subprocess.Popen(["cp", path, fifo]):
        piped = summary("--site", "a=" + fifo)[1]
    for other in (piped, summary("--site", "a=" + packed)[1],
                  summary("--site", "a=-", stdin=open(path, "rb").read())[1]):
        for key in ("packets", "bytes", "classes", "ports"):
            same(other[key], plain[key], key)


@says("a capture that was cut keeps what came before, names file and offset, and ends with 1")
def cut(folder):
    path = os.path.join(folder, "cut.pcap")
    with open(data(SLP), "rb") as whole, open(path, "wb") as out:
        out.write(whole.read(20000))
    status, seen, done = summary("--site", "a=" + path)
    same(status, 1)
    assert 100 < seen["packets"] < 629, seen["packets"]
    line = done.stderr.splitlines()[0]
    holds(line, path)
    holds(line, "offset")


@says("files that are no captures are named, the others are read, and it ends with 1")
def strangers(folder):
    same(run("simulate", "telescope", "--out", folder + "/sim", "--sites", "2", "--days", "0.05", "--scale", "0.1",
             "--events", "none").returncode, 0)
    captures = [os.path.join(folder, "sim", name) for name in sorted(os.listdir(folder + "/sim"))
                if name.endswith(".pcap")]
    text, empty = folder + "/text", folder + "/empty"
    with open(text, "w", encoding="ascii") as out:
        out.write("no capture")
    open(empty, "w", encoding="ascii").close()
    whole = summary("--site", "a=" + captures[0], "--site", "b=" + captures[1])[1]
    # Among the captures of a site, and as all that a site has.
    for more in (["--site", "a=" + text, "--site", "a=" + empty], ["--site", "c=" + text, "--site", "d=" + empty]):
        status, seen, done = summary("--site", "a=" + captures[0], *more, "--site", "b=" + captures[1])
        same(status, 1, done.stderr)
        same(seen["packets"], whole["packets"])
        told = done.stderr.splitlines()[:-1]
        same(len(told), 2, done.stderr)
        for path in (text, empty):
            same(sum(path in line for line in told), 1, done.stderr)
    same(run("replay", "--quiet", text, captures[0]).returncode, 1)
    same(run("replay", "--quiet", text, empty).returncode, 2)
    same(run("replay", "--quiet", captures[0], folder + "/none").returncode, 2)


@says("captures that a data folder has are refused by name, those of a folder, too; new ones beside them are read")
def known(folder):
    os.mkdir(folder + "/captures")
    shutil.copy(data(SLP), folder + "/captures/one.pcap")
    arguments = ("replay", "--data", folder + "/data", "--engines", "none", "--quiet", "--site", f"jp-01={folder}/captures")
    same(run(*arguments).returncode, 0)
    done = run(*arguments)
    same(done.returncode, 2, done.stderr)
    holds(done.stderr, "one.pcap is in the data folder since 20")
    holds(done.stderr, "--again reads them once more")
    shutil.copy(data(MASSCAN), folder + "/captures/two.pcap")
    done = run(*arguments)
    same(done.returncode, 0, done.stderr)
    holds(done.stderr, "one.pcap is in the data folder")
    same("two.pcap" in done.stderr, False, done.stderr)
    same(run(*arguments, "--again").returncode, 0)


@says("wrong use is one line on stderr that names what is wrong, and ends with 2")
def wrong_use(folder):
    text = os.path.join(folder, "text.pcap")
    with open(text, "w", encoding="ascii") as out:
        out.write("this is not a capture, whatever its name says\n")
    real = os.path.join(folder, "real.pcap")
    with open(real, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
    for arguments, part in (
            (["replay"], "no captures"),
            (["replay", "/no/such/file"], "/no/such/file"),
            (["replay", text], text),
            (["replay", "--site", "UP=" + text], "UP"),
            (["replay", "--engines", "surge,magic", text], "magic"),
            (["replay", "--set", "surge.nothing=1", text], "nothing"),
            (["replay", "--window", "5", text], "--window"),
            (["replay", "--window", "5s", text], "1m..1h"),
            (["replay", "--bogus"], "--bogus"),
            (["bogus"], "bogus"),
            (["replay", "--help=x"], "--help=man"),
            (["evaluate", real], real + " is a capture"),
    ):
        done = run(*arguments)
        same(done.returncode, 2, (arguments, done.stderr))
        same(len(done.stderr.splitlines()), 1, done.stderr)
        holds(done.stderr, part)
        same(done.stdout, "")


@says("simulated telescopes give alerts as JSON lines, twice the same, whatever the order of captures")
def simulated(folder):
    done = run("simulate", "telescope", "--out", folder + "/sim", "--sites", "3", "--days", "2", "--scale", "0.3",
               "--events", "country-botnet@30h", "--seed", "5")
    same(done.returncode, 0, done.stderr)
    captures = sorted(name for name in os.listdir(folder + "/sim") if name.endswith(".pcap"))
    same(len(captures), 3)
    results = []
    for order in (captures, captures[::-1]):
        sites = [word for name in order for word in ("--site", f"{name[:-5]}={folder}/sim/{name}")]
        done = run("replay", "--quiet", "--alerts", "-", *sites)
        same(done.returncode, 0, done.stderr)
        results.append(done.stdout)
    same(results[0], results[1])
    alerts = [json.loads(line) for line in results[0].splitlines()]
    found = [a for a in alerts if a["proto"] == "tcp" and {23, 20012} & set(a["ports"]) and
             a["severity"] != "info"]
    assert found, [a["title"] for a in alerts]
    for a in alerts:
        for key in ("id", "time", "start", "end", "engine", "severity", "confidence", "title", "explanation", "sites",
                    "evidence"):
            assert key in a, key


@says("what is there is not written over: neither a capture nor an earlier result")
def not_over(folder):
    path = folder + "/kept"
    with open(path, "wb") as file:
        file.write(b"something")
    for command, option in (("replay --no-store", "--alerts"), ("replay --no-store", "--host-counts"),
                            ("export", "--output"), ("anonymize", "--output"),
                            ("anonymize --output -", "--places"), ("anonymize --log auto", "--output"),
                            ("site policy", "--output"), ("evaluate", "--html"), ("screen groups", "--members"),
                            ("screen patterns", "--out"), ("screen rules --propose", "--out"),
                            ("screen rules --propose", "--features")):
        operands = [] if command in ("export", "site policy") else [path]
        done = run(*command.split(), option, path, *operands)
        same(done.returncode, 2, done.stderr)
        words = command.split(" --")[0]
        same(done.stderr, f"kizashi {words}: {option} {path}: is there already, and is not written over\n")
        with open(path, "rb") as file:
            same(file.read(), b"something")


if __name__ == "__main__":
    main()
