#!/usr/bin/env python3
"""What the commands say when they are called wrongly, or asked for help."""

import os
import re
import struct
import subprocess

from tap import KIZASHI, Skip, main, says

def commands():
    """All that `kizashi help` lists."""
    lines = kizashi("help").stdout.splitlines()
    return [found.group(1) for found in (re.match(r"  ([a-z]+(?: [a-z]+)*)  +\S", line) for line in lines) if found]


def options(command):
    """What its --help says of each option: the words in its place for a value ("" for a flag)."""
    text = kizashi(*command.split(), "--help").stdout
    return dict(re.findall(r"^  --([a-z-]+) ?([A-Z][^ ]*?)?(?:\.\.\.)?(?: .*)?$", text, re.MULTILINE))


# Options with a FILE that is written, or that need not be there.
NOT_READ = {("replay", "alerts"), ("replay", "host-counts"), ("export", "output"), ("anonymize", "output"),
            ("anonymize", "keys"), ("anonymize", "places"), ("site policy", "output"), ("screen groups", "members"),
            ("screen patterns", "out"), ("screen rules", "rules"), ("screen rules", "out"),
            ("screen rules", "features"), ("evaluate", "html")}
# Doctor tells what it finds, and is no less well for it.
REPORTS = {"doctor"}

with open(KIZASHI, "rb") as program:
    SANITIZED = re.search(rb"__[at]san_init", program.read()) is not None

COMMANDS = ("hub", "replay", "stats", "alerts", "export", "simulate telescope", "anonymize", "site policy",
            "engines", "evaluate", "doctor")


def kizashi(*words):
    if words[0] == "hub" and "--listen" not in words:  # the default port may be a running hub's
        words += ("--listen", "127.0.0.1:0")
    return subprocess.run([KIZASHI, *words], capture_output=True, text=True)


def refused(*words, says):
    run = kizashi(*words)
    assert run.returncode == 2, (words, run.returncode, run.stderr)
    assert not run.stdout and len(run.stderr.splitlines()) == 1, (words, run.stdout, run.stderr)
    for part in says if isinstance(says, tuple) else (says,):
        assert part in run.stderr, (words, part, run.stderr)


@says("options that exclude each other are refused, and nothing is written")
def contradictions(folder):
    refused("stats", "--csv", "--json", says="--csv and --json")
    refused("replay", "--no-store", "--data", folder, KIZASHI, says="--data and --no-store")
    refused("replay", "--quiet", "--json", KIZASHI, says="--quiet and --json")
    refused("site", "config", "jp-01", "--show", "--history", says="--show, --version, --history and --diff exclude")
    refused("site", "config", "jp-01", "--diff", "0", "--set", "payload=1", says="do not go with a change")
    refused("anonymize", "--log", "auto", "--output", folder + "/x.gz", KIZASHI, says="plain text")
    assert os.listdir(folder) == []


@says("every command takes the same forms of time, and refuses others with what is allowed")
def time_ranges(folder):
    for command in ("stats", "alerts", "export"):
        refused(command, "--from", "-24x", says=("-24x", "-24h", "2026-11-22"))
        refused(command, "--from", "2026-11-22", "--to", "2026-11-21", says="--from is not before --to")
        refused(command, "--from", "-1h", "--to", "-2h", says="--from is not before --to")
        refused(command, "--from", "-24h", "--data", folder + "/none", says="no data folder")


@says("a wrong value is named with what is allowed, before a folder is made")
def values_by_what_is_allowed(folder):
    """One line, what is wrong by the option's name, what is allowed; and no folder was made."""
    new, capture = os.path.join(folder, "new"), os.path.join(folder, "empty.pcap")
    with open(capture, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
    for words, parts in (
            (("stats", "--country", "korea"), ("--country", "korea", "two letters")),
            (("export", "--country", "uk"), ("--country", '"uk" is no country of ISO 3166', "gb")),
            (("alerts", "--kind", "nonsense"), ("--kind", "nonsense", "port-surge", "spread")),
            (("alerts", "--engine", "nonsense"), ("--engine", "nonsense", "surge", "lead")),
            (("alerts", "--state", "nonsense"), ("--state", "nonsense", "wrong")),
            (("alerts", "--port", "65536"), ("--port", "65536", "65535")),
            (("stats", "--tag", "known"), "--tag"),
            (("stats", "--class", "nonsense"), ("--class", "misconfiguration")),
            (("stats", "--class", "scan,-worm"), ("--class", "scan,-worm")),
            (("stats", "--site", "jp-01,kr-01"), ("--site", "jp-01,kr-01")),
            (("stats", "--site", "jp-01", "--site", "kr-01"), ("--site", "one value")),
            (("stats", "series", "--step", "90s"), ("--step", "minutes")),
            (("stats", "series", "--limit", "100"), ("--limit", "50")),
            (("stats", "source"), "--src"),
            (("replay", "--window", "7m", capture), ("screen", "--window", "divides an hour")),
            (("replay", "--addresses", "moon=5", capture), ("--addresses", "moon", "telescope")),
            (("replay", "--data", new, "--geo-db", __file__, capture), __file__),
            (("replay", "--data", new, "--signatures", __file__, capture), __file__),
            (("evaluate", "--null", "alerts.jsonl"), ("--null", "--simulate")),
            (("evaluate", "--simulate", "--seeds", "a"), ("--seeds", "101-105,200")),
            (("evaluate", "alerts.jsonl"), "--truth"),
            (("simulate", "telescope", "--out", new, "--events", "foo"), ("--events", "worm-growth")),
            (("hub", "--data", new, "--listen", "127.0.0.1:0", "--proxy", "x"), ("--proxy", "127.0.0.1")),
            (("hub", "--data", new, "--listen", "127.0.0.1:0", "--bus", "http://hub:4222"),
             ("--bus", "nats://HOST:PORT")),
            (("sensor", "--data", new, "--site", "a", "--bus", "nats://hub", "--interface", "lo"),
             ("--bus", '"nats://hub"', "tls://HOST:PORT")),
            (("sensor", "--data", new, "--site", "a", "--bus", "nats://hub:0", "--interface", "lo"), '"nats://hub:0"'),
            (("hub", "--data", new, "--listen", "127.0.0.1:0", "--host", "a b"), ("--host", "a b")),
            (("hub", "--data", new, "--keep-packets", "1h"), ("--keep-packets", "1d..36500d")),
    ):
        refused(*words, says=parts)
    assert not os.path.exists(new)


def write_inputs(folder):
    """A capture, and a file that is none of what the commands read."""
    capture, wrong = (os.path.join(folder, name) for name in ("one.pcap", "wrong"))
    with open(capture, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101) + struct.pack("<IIII", 1, 0, 0, 0))
    with open(wrong, "w", encoding="ascii") as out:
        out.write("no rule\n")
    return capture, wrong


def leaves_nothing(new, words, part):
    run = kizashi(*words)
    assert run.returncode in (1, 2) and part in run.stderr, (words, run)
    assert not os.path.exists(new), (words, os.listdir(new), run.stderr)


@says("a start that is refused late leaves no folder behind that it made")
def refused_late(folder):
    new = os.path.join(folder, "new")
    capture, wrong = write_inputs(folder)
    for words, part in (
            (("replay", "--data", new, "--geo-db", wrong, capture), wrong),
            (("replay", "--data", new, "--alerts", new + "/none/alerts", capture), "--alerts"),
            (("hub", "--listen", "127.0.0.1:0", "--data", new, "--geo-db", wrong), wrong),
            (("hub", "--listen", "127.0.0.1:0", "--data", new, "--admin-password-file", wrong), wrong),
            (("hub", "--listen", "127.0.0.1:0", "--data", new, "--publish", wrong), wrong),
            (("sensor", "--data", new, "--site", "a", "--bus", "nats://127.0.0.1:1", "--read", wrong), wrong),
            (("evaluate", "--simulate", "--seeds", "1", "--keep", new, "--events", "foo"), "--events"),
            (("simulate", "telescope", "--out", new, "--geoip", wrong), wrong),
            (("export", "--data", folder, "--output", new), "holds no store")):
        leaves_nothing(new, words, part)


@says("nor does one whose store was open already, and a folder that was there stays")
def refused_after_the_store(folder):
    if SANITIZED:
        raise Skip("the store's library does not run under sanitizers")
    new = os.path.join(folder, "new")
    capture, wrong = write_inputs(folder)
    rules = ("--data", new, "--set", "screen.rules=" + wrong)
    leaves_nothing(new, ("replay", *rules, capture), wrong)
    leaves_nothing(new, ("hub", "--listen", "127.0.0.1:0", *rules), wrong)
    os.mkdir(new)
    kizashi("replay", *rules, capture)
    assert os.path.isdir(new)


@says("what would go in clear beyond loopback is refused, whatever the scheme, and no folder is made")
def clear_beyond_loopback(folder):
    new = os.path.join(folder, "new")
    for address in ("10.255.255.1:4222", "hub.example:4222", "[fd00::1]:4222", "127.example:4222", "0.0.0.0:4222"):
        for command in (("hub", "--listen", "127.0.0.1:0"), ("sensor", "--site", "a", "--drain")):
            refused(*command, "--data", new, "--bus", "nats://" + address, says=("--bus", address, "certificate"))
        refused("sensor", "--site", "a", "--drain", "--data", new, "--bus", "nats://127.0.0.1:1", "--bus",
                "tls://" + address, says=("--bus", "tls://" + address))
    assert not os.path.exists(new)


@says("a length of windows that an engine cannot take names the engine, and what to say instead works")
def windows_of_engines(folder):
    capture = os.path.join(folder, "one.pcap")
    with open(capture, "wb") as out:  # one empty frame
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101) + struct.pack("<IIII", 1, 0, 0, 0))
    text = " ".join(kizashi("replay", "--help").stdout.split())
    assert "All engines take 10m, 12m, 15m, 20m, 30m and 1h, all but screen also 5m and 6m, and tensor any" in text
    for window in ("12m", "1h"):
        run = kizashi("replay", "--quiet", "--window", window, capture)
        assert run.returncode == 0, (window, run.stderr)
    for window, unfit in (("6m", "screen"), ("1m", "screen"), ("7m", "screen")):
        refused("replay", "--window", window, capture, says=("--window " + window, unfit, "--engines "))
        rest = kizashi("replay", "--window", window, capture).stderr.split("--engines ")[1].strip()
        run = kizashi("replay", "--quiet", "--window", window, "--engines", rest, capture)
        assert run.returncode == 0, (window, rest, run.stderr)
        assert (len(rest.split(",")) == 7) == (window == "6m") and "tensor" in rest, (window, rest)
    refused("replay", "--window", "1m", "--engines", "screen", capture, says=("engine screen", "--engines none"))


@says("a file to be read that is not there is named with its option, the same in every command, and ends with 2")
def missing_inputs(folder):
    missing, seen = os.path.join(folder, "missing"), set()
    for command in commands():
        for option, value in options(command).items():
            if value not in ("FILE", "NAME=FILE") or (command, option) in NOT_READ or command in REPORTS:
                continue
            given = "x=" + missing if "=" in value else missing
            needed = {("evaluate", "site"): ("--shuffles", "1"), ("evaluate", "nict"): ("--shuffles", "1"),
                          ("screen rules", "site"): ("--propose",)}
            listen = ("--listen", "127.0.0.1:0") if command == "hub" else ()  # whoever has the usual port
            refused(*command.split(), *listen, f"--{option}", given, *needed.get((command, option), ()),
                    says=("--" + option, missing, "No such file or directory"))
            seen.add((command, option))
    assert {("hub", "config"), ("sensor", "read"), ("evaluate", "truth"), ("site image", "package"),
            ("screen tags", "labels"), ("replay", "geo-db")} <= seen and len(seen) > 30, seen
    for words in (("replay", missing), ("anonymize", "--output", folder + "/out", missing), ("screen tags", missing),
                  ("anonymize", "--log", "auto", "--output", "-", missing), ("screen groups", missing),
                  ("screen patterns", missing), ("screen rules", "--propose", missing),
                  ("replay", "--set", "screen.rules=" + missing, KIZASHI)):
        refused(*words[0].split(), *words[1:], says=missing)
    assert os.listdir(folder) == []


@says("an option that does nothing without another is refused where that is not given")
def idle_options(folder):
    for words, option, needed in (
            (("hub", "--filter", "tcp"), "filter", "interface"), (("hub", "--demo-scale", "2"), "demo-scale", "demo"),
            (("hub", "--sites-host", "a"), "sites-host", "sites"),
            (("hub", "--publish-keep", "7d"), "publish-keep", "publish"),
            (("sensor", "--read", KIZASHI, "--filter", "tcp"), "filter", "interface"),
            (("anonymize", "--output", "-", "--geo-db", KIZASHI, KIZASHI), "geo-db", "places")):
        refused(*words, says=(f"--{option}:", f"--{needed}"))
    for words in (("replay", KIZASHI), ("evaluate", "--simulate", "--seeds", "1"), ("hub", "--listen", "127.0.0.1:0")):
        refused(*words, "--engines", "surge,growth", "--set", "graph.learn=2d",
                says=("--set graph.learn: the engine graph does not run", "--engines"))
    new = os.path.join(folder, "hub.yaml")
    with open(new, "w", encoding="ascii") as out:
        out.write(f"data: {folder}/data\nfilter: tcp\n")
    refused("hub", "--config", new, says=("--filter:", "--interface"))
    assert os.listdir(folder) == ["hub.yaml"]


@says("a drain of nothing ends at once, and one of a folder without a spool is refused and makes none")
def drains(folder):
    words = ("--drain", "--site", "a", "--bus", "nats://127.0.0.1:1", "--data")
    refused("sensor", *words, folder + "/none", says=("--data", folder + "/none", "spool"))
    assert os.listdir(folder) == []
    os.makedirs(folder + "/site/spool")
    # Nobody may look into a sensor that has locked itself in, LeakSanitizer neither.
    blind = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}
    run = subprocess.run([KIZASHI, "sensor", *words, folder + "/site"], capture_output=True, text=True, timeout=60,
                         env=blind)
    assert run.returncode == 0 and "nothing to send" in run.stderr, run


@says("half a command lists the whole ones")
def half_a_command(_):
    run = kizashi("simulate")
    assert run.returncode == 2 and "simulate telescope" in run.stderr and not run.stdout, run
    run = kizashi("simulate", "--help")
    assert run.returncode == 0 and "simulate telescope" in run.stdout and not run.stderr, run
    run = kizashi("help", "simulate")
    assert run.returncode == 0 and "simulate telescope" in run.stdout, run
    refused("simulate", "ocean", says="simulate ocean")


@says("stats lists the questions that it answers, and no other")
def questions(_):
    listing = kizashi("stats", "--help").stdout
    names = [line.split()[0] for line in listing.split("columns of its answer", 1)[1].splitlines()
             if line.startswith("  ") and line.split()]
    assert "ports" in names and "packets" not in names, names
    refused("stats", "packets", says="kizashi export")
    refused("stats", "portz", says="portz")


@says("an option that does not act on a question is refused by its name, before anything is opened")
def options_of_questions(folder):
    values = {"from": "-1h", "to": "now", "site": "a", "proto": "tcp", "port": "23", "country": "us", "asn": "1",
              "tool": "mirai", "class": "scan", "src": "192.0.2.1", "limit": "5", "by": "site", "measure": "bytes",
              "step": "1h"}
    narrow = {"from", "to", "site", "proto", "port", "country", "asn", "tool", "class", "src"}
    acts = {"span": set(), "totals": narrow, "series": narrow | {"limit", "by", "measure", "step"},
            "source": narrow - {"country", "asn"} | {"limit"}, "sites": {"from", "to", "site"},
            "victims": narrow - {"tool", "class"} | {"limit"}, "losses": {"from", "to", "site", "step"}}
    for question in ("ports", "movers", "sources", "countries", "asns", "tools", "classes", "screened", "tagged"):
        acts[question] = narrow | {"limit"}
    for question, options in acts.items():
        for option in sorted(set(values) - options):
            refused("stats", question, f"--{option}", values[option], says=f"--{option}: does not act on the question")
        words = [word for option in sorted(options) for word in (f"--{option}", values[option])]
        refused("stats", question, *words, "--data", folder + "/none", says="no data folder")


@says("one alert by its id takes no option that narrows a list, and no list takes an option twice")
def options_of_lists(folder):
    for option, value in (("from", "-1h"), ("severity", "notice"), ("port", "23"), ("limit", "5")):
        refused("alerts", "20260804-20012tcp-97d6", f"--{option}", value, says=f"--{option}: does not act on one alert")
    for command in ("alerts", "forecasts", "export"):
        refused(command, "--site", "a", "--site", "b", says="--site: given 2 times")
        refused(command, "--site", "JP-01", says='--site: "JP-01" is not one name')


@says("ranges and defaults are shown as they are written")
def ranges_as_written(_):
    for command in COMMANDS:
        text = kizashi(*command.split(), "--help").stdout
        assert "e+" not in text and " seconds." not in text, (command, text)
    assert "1m to 1h" in kizashi("replay", "--help").stdout
    limit = kizashi("export", "--help").stdout.split("--limit", 1)[1].split("--format", 1)[0]
    assert "Default" not in limit, limit


@says("manual pages have a date, and the options that --help has, each with its value, and no other")
def manual_pages(_):
    for command in commands():
        page = kizashi(*command.split(), "--help=man").stdout
        assert page.startswith(".Dd ") and "$" not in page.splitlines()[0], page[:80]
        inside = dict(re.findall(r"^\.It Fl -([a-z-]+)(?: Ar ([^ \n]+))?", page, re.MULTILINE))
        outside = options(command)
        outside.pop("help")
        inside.pop("help", None)
        assert inside == outside, (command, {**inside, **outside}.keys() - (inside.keys() & outside.keys()), inside,
                                   outside)


@says("engines are listed, and each tells the settings that --set takes")
def engines_tell(_):
    names = [line.split()[0] for line in kizashi("engines").stdout.splitlines()[1:]]
    assert {"surge", "growth"} <= set(names), names
    for name in names:
        told = kizashi("engines", name).stdout
        settings = [line.split("=")[0].strip() for line in told.splitlines() if line.startswith(f"  {name}.")]
        assert settings, told
        page = kizashi("engines", name, "--man").stdout
        for setting in settings:
            assert setting in page, (setting, page)
        refused("replay", "--set", f"{name}.magic=1", KIZASHI,
                says=(f"--set {name}", "magic", f"kizashi engines {name}"))
    refused("replay", "--set", "surge.min-sources=many", KIZASHI, says="--set surge.min-sources")
    refused("engines", "magic", says=("magic", "kizashi engines"))
    refused("engines", "--man", says="--man")


if __name__ == "__main__":
    main()
