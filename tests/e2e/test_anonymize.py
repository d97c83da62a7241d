"""kizashi anonymize and kizashi site policy on real captures and logs."""

import json
import os
import random
import stat
import struct

from tap import data, holds, main, run, same, says

CAPTURES = ("pcaps/ddos/stopddos-snmp-amp.pcapng", "pcaps/robust/libtrace-100-sll.pcap",
            "pcaps/amp-proto/zeek-portmap-many-calls.pcapng.gz")
SLP = "pcaps/scan/ndpi-srvloc427-real-scans.pcap"


def packets(path):
    """IP packets of a pcap file in our own form."""
    with open(path, "rb") as file:
        raw = file.read()
    magic, _major, _minor, _zone, _sigfigs, _snap, link = struct.unpack("<IHHiIII", raw[:24])
    same((magic, link), (0xa1b2c3d4, 101))
    at, found = 24, []
    while at < len(raw):
        _sec, _usec, have, wire = struct.unpack("<IIII", raw[at:at + 16])
        found.append((raw[at + 16:at + 16 + have], wire))
        at += 16 + have
    return found


def right(words):
    total = sum(struct.unpack(f">{len(words) // 2}H", words))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total == 0xffff


@says("captures of every form become IP packets whose header checksums are right")
def captures(folder):
    for number, name in enumerate(CAPTURES):
        out = os.path.join(folder, f"{number}.pcap")
        done = run("anonymize", "--json", "--output", out, data(name))
        same(done.returncode, 0, done.stderr)
        told = json.loads(done.stderr)
        written = packets(out)
        same(len(written), told["written"])
        assert written, name
        for packet, wire in written:
            assert packet[0] >> 4 in (4, 6) and wire >= len(packet)
            if packet[0] >> 4 == 4 and "sll" not in name:  # that one was captured before its checksums were made
                assert right(packet[:(packet[0] & 15) * 4]), name


@says("the same keys hide the same address the same way, no keys another way each time")
def keys(folder):
    path, name = os.path.join(folder, "keys"), data(CAPTURES[1])
    out = [os.path.join(folder, f"{i}.pcap") for i in range(4)]
    for i in (0, 1):
        same(run("anonymize", "--keys", path, "--output", out[i], name).returncode, 0)
    for i in (2, 3):
        same(run("anonymize", "--output", out[i], name).returncode, 0)
    written = [packets(path) for path in out]
    assert written[0] == written[1], "other addresses with the same keys"
    assert written[2] != written[3], "the same addresses without keys"
    same(stat.S_IMODE(os.stat(path).st_mode), 0o600)
    os.chmod(path, 0o644)
    done = run("anonymize", "--keys", path, "--output", os.path.join(folder, "no.pcap"), name)
    same(done.returncode, 1)
    holds(done.stderr, "--keys: ")
    holds(done.stderr, "0600")


@says("an option that would do nothing is refused")
def ignored(folder):
    capture = data(CAPTURES[0])
    for words, option in (
            (("site", "policy", "--list", "--source", "hash"), "--source: does nothing with --list"),
            (("site", "policy", "--check", capture, "--source", "hash"),
             "--source: does nothing with --check"),
            (("anonymize", "--audit", "addresses", "--output", "x", capture),
             "--output: does nothing with --audit addresses"),
            (("anonymize", "--trials", "5", "--output", "x", capture), "--trials: does nothing without --audit"),
            (("sensor", "--data", folder, "--site", "jp-01", "--bus", "nats://127.0.0.1:1", "--addresses", "kr-01=5",
              "--read", capture), '--addresses: there is no site "kr-01"; this is jp-01')):
        done = run(*words)
        same((done.returncode, done.stdout, len(done.stderr.splitlines())), (2, "", 1), (words, done.stderr))
        holds(done.stderr, option)
    same(os.path.exists("x"), False)


@says("a policy by options is what anonymize applies: destinations cut, payload gone")
def policy(folder):
    path, out = os.path.join(folder, "policy.json"), os.path.join(folder, "out.pcap")
    done = run("site", "policy", "--exact", "--destination", "truncate:16,32", "--payload", "drop", "--output", path)
    same(done.returncode, 0, done.stderr)
    same(run("anonymize", "--policy", path, "--output", out, data(SLP)).returncode, 0)
    for packet, wire in packets(out):
        same(packet[18:20], b"\0\0")
        same((len(packet), wire), (28, 28))


@says("what a policy costs is told, and a vital loss is exit status 1")
def losses(_folder):
    done = run("site", "policy", "--source", "drop", "--for", "surge,victims", "--json")
    same(done.returncode, 1)
    rows = [json.loads(line) for line in done.stderr.splitlines()]
    same({row["who"] for row in rows}, {"surge", "victims"})
    same(json.loads(done.stdout)["source"], "drop")
    same({json.dumps(row["allow"]) for row in rows}, {'"hash"', '"keep"'})
    done = run("site", "policy", "--source", "truncate:24,48", "--for", "growth")
    same((done.returncode, json.loads(done.stdout)["source"]), (1, "drop"))
    holds(done.stderr, "--source truncate:24,48: less serves what --for names as well: drop")
    holds(done.stderr, "growth does not work: needs equality of source")
    holds(done.stderr, "--source hash lets it work")
    done = run("site", "policy", "--source", "hash", "--for", "growth")
    same((done.returncode, json.loads(done.stdout)["source"], done.stderr), (0, "hash", ""))
    done = run("site", "policy", "--destination", "cut")
    same(done.returncode, 2)
    holds(done.stderr, "keep, truncate, prefix, hash or drop")


@says("the questionnaire takes answers, and asks both sides where they conflict")
def questions(_folder):
    done = run("site", "policy", "--ask", "--for", "victims", stdin="hash\n" + "\n" * 10 + "a\n")
    same(done.returncode, 0, done.stderr)
    holds(done.stderr, "nobody knows who is attacked")
    same(json.loads(done.stdout)["source"], "keep")
    done = run("site", "policy", "--ask", stdin="nobody\nvictims\n" + "\n" * 10 + "1s\n12h\n")
    same(done.returncode, 0, done.stderr)
    holds(done.stderr, 'there is no engine or view "nobody"')
    document = json.loads(done.stdout)
    same((document["source"], document["time"], document["epoch"]), ("keep", {"method": "shift", "most": "30d"}, "12h"))
    done = run("site", "policy", "--ask", "--for", "victims", stdin="hash\n")
    same(done.returncode, 1)


@says("DNS logs keep their form, and names their endings")
def logs(folder):
    path, out = os.path.join(folder, "dns.log"), os.path.join(folder, "out.log")
    with open(path, "w", encoding="ascii") as log:
        log.write("#fields\tts\tuid\tid.orig_h\tquery\n")
        log.write("1763798461.5\tC1\t192.0.2.7\twww.example.co.uk\n1763798461.6\tC2\t192.0.2.7\tmail.example.co.uk\n")
    done = run("anonymize", "--log", "auto", "--output", out, path)
    same(done.returncode, 0, done.stderr)
    with open(out, encoding="ascii") as log:
        lines = [line.rstrip("\n").split("\t") for line in log]
    same(len(lines), 3)
    one, two = lines[1][3], lines[2][3]
    assert one.endswith(".co.uk") and one.split(".")[1:] == two.split(".")[1:] and one != two, (one, two)
    same(lines[1][1], "-")


@says("an output that is there is not written over")
def output(folder):
    path = os.path.join(folder, "there")
    with open(path, "w", encoding="ascii") as there:
        there.write("mine")
    done = run("anonymize", "--output", path, data(CAPTURES[1]))
    same(done.returncode, 2)
    with open(path, encoding="ascii") as there:
        same(there.read(), "mine")


@says("a run that fails leaves no output behind: the next finds nothing in its way")
def output_of_a_failure(folder):
    out, places, text = (os.path.join(folder, name) for name in ("out", "places.csv", "text"))
    capture = os.path.join(folder, "empty.pcap")
    with open(capture, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
    with open(text, "w", encoding="ascii") as file:
        file.write("line after line of prose\n" * 82)
    for words in (("anonymize", "--places", places, "--output", out, os.path.join(folder, "nofile")),
                  ("anonymize", "--output", out, capture, text),
                  ("anonymize", "--places", os.path.join(folder, "no", "folder"), "--output", out, capture),
                  ("anonymize", "--log", "auto", "--output", out, os.path.join(folder, "nofile")),
                  ("anonymize", "--log", "auto", "--output", out, text),
                  ("export", "--data", folder, "--output", out),
                  ("replay", "--no-store", "--alerts", out, "--host-counts", places, text),
                  ("evaluate", "--html", out, text),
                  ("screen", "groups", "--members", out, text),
                  ("screen", "patterns", "--out", out, text),
                  ("screen", "rules", "--propose", "--out", out, "--features", places, text)):
        done = run(*words)
        same((done.returncode, len(done.stderr.splitlines())), (2, 1), (words, done.stderr))
        same(sorted(os.listdir(folder)), ["empty.pcap", "text"], (words, done.stderr))
    with open(out, "w", encoding="ascii"):
        pass  # an empty file, as mktemp makes one, is taken, and stays
    same(run("anonymize", "--log", "auto", "--output", out, text).returncode, 2)
    same(os.path.getsize(out), 0)
    same(run("anonymize", "--output", out, capture).returncode, 0)
    same(packets(out), [])


@says("what came before a broken file, and after it, is kept, and a missing one writes nothing")
def broken(folder):
    good, cut, out = data(CAPTURES[1]), os.path.join(folder, "cut.pcap"), os.path.join(folder, "out.pcap")
    same(run("anonymize", "--output", out, good).returncode, 0)
    count = len(packets(out))
    with open(out, "rb") as file, open(cut, "wb") as half:
        half.write(file.read()[:-5])
    for files, left in (((cut,), count - 1), ((good, cut), 2 * count - 1), ((cut, good), 2 * count - 1),
                        ((good, os.path.join(folder, "nofile")), count)):
        os.unlink(out)
        done = run("anonymize", "--output", out, *files)
        same(done.returncode, 1, done.stderr)
        holds(done.stderr, f"{[file for file in files if file != good][0]}: ")
        holds(done.stderr, f"{left} packets written")
        same(len(packets(out)), left)
    done = run("anonymize", "--output", "-", os.path.join(folder, "nofile"))
    same((done.returncode, done.stdout), (2, ""))


@says("what came before a broken log is kept, and times keep their digits")
def broken_log(folder):
    path, out = os.path.join(folder, "dns.json"), os.path.join(folder, "out.json")
    times = ("1764000001.5", "1764000001", "2026-11-23T18:00:00.123Z", "2026-11-23T18:00:00Z")
    with open(path, "w", encoding="ascii") as log:
        for time in times:
            log.write(json.dumps({"ts": time, "query": "www.example.org"}) + "\n")
    text = os.path.join(folder, "text")
    with open(text, "w", encoding="ascii") as log:
        log.write("prose\n")
    done = run("anonymize", "--log", "json", "--output", out, path, text)
    same(done.returncode, 1, done.stderr)
    holds(done.stderr, f"{text}: --log: of 1 lines none could be written")
    with open(out, encoding="ascii") as log:
        same(tuple(json.loads(line)["ts"] for line in log), times)


@says("a file of which no line is a log's is not a log that was anonymised")
def no_log(folder):
    path = os.path.join(folder, "text")
    with open(path, "w", encoding="ascii") as file:
        file.write("line after line of prose\n" * 82)
    done = run("anonymize", "--log", "auto", "--output", "-", path)
    same((done.returncode, done.stdout), (2, ""))
    holds(done.stderr, "--log: of 82 lines none could be written")


@says("an audit tells what prefixes give away, and finds a shift of published series")
def audit(folder):
    path = os.path.join(folder, "policy.json")
    same(run("site", "policy", "--exact", "--source", "prefix", "--output", path).returncode, 0)
    done = run("anonymize", "--audit", "addresses", "--policy", path, "--json", data(CAPTURES[0]))
    same(done.returncode, 0, done.stderr)
    row = json.loads(done.stdout.splitlines()[0])
    same((row["field"], row["method"]), ("source", "prefix"))
    assert 4 < row["known_bits"] < 32, row
    own, published = os.path.join(folder, "own.csv"), os.path.join(folder, "published.csv")
    draw = random.Random(7)
    values = [draw.randrange(100, 1100) for _ in range(200)]
    for name, late in ((own, 0), (published, 5)):
        with open(name, "w", encoding="ascii") as out:
            out.write("time,key,value\n")
            for i, value in enumerate(values):
                out.write(f"{1763798400 + 3600 * (i - late)},tcp/23,{value}\n")
    done = run("anonymize", "--audit", "series", "--json", published, own)
    same(done.returncode, 0, done.stderr)
    row = json.loads(done.stdout)
    same(row["lag"], "5h")
    assert row["r"] > 0.99 and row["p"] < 0.01, row


if __name__ == "__main__":
    main()
