#!/usr/bin/env python3
"""How sure alerts may be: makes simulated runs, fits the weights of src/alert/confidence.c to them, and checks them.

    confidence.py make KIZASHI FOLDER SEED...    runs of each seed into FOLDER/RUN-SEED: alerts.jsonl, truth.json
    confidence.py fit FOLDER                     weights for the alerts of FOLDER, and how well they fit
    confidence.py check FOLDER                   how often alerts are true against what their confidence says

An alert is true if it is about an event of the truth (docs/simulator.md, `kizashi evaluate`). The runs differ in sites,
length, volume, size and ports of the events, and in how little the engines ask for, so that weak alerts are among them.
Of each alert its first, its middle and its last form count, a third each, since people meet all of them. Alerts of one
run that begin at one site in the same hour have one cause, such as an outage that is over: together they count as one.
"""
import collections
import datetime
import json
import math
import pathlib
import shutil
import subprocess
import sys
import tempfile

KINDS = ("worm-growth", "botnet-turn", "country-botnet", "spreading", "one-site", "in-step")
EAGER = "--set surge.min-sources=4 --set surge.min-ratio=1.2 --set growth.own=2 --set growth.ratio=1.3".split()


def of_size(size):
    return ["--events", ",".join(f"{kind}*{size}" for kind in KINDS)]


# name: options of the simulator, options of replay, whether surveys are announced
RUNS = {
    "usual": ("--sites 8 --days 4".split(), [], True),
    "small": ("--sites 8 --days 2".split() + of_size(0.1), [], True),
    "ports": ("--sites 4 --days 2 --ports random".split() + of_size(0.3), [], True),
    "tiny-eager": ("--sites 4 --days 2".split() + of_size(0.05), EAGER, True),
    "ports-eager": ("--sites 8 --days 3 --ports random".split() + of_size(0.2), EAGER, True),
    "two-eager": ("--sites 2 --days 3".split(), EAGER, False),
    "usual-eager": ("--sites 8 --days 4".split(), EAGER, True),
    "quiet": ("--sites 3 --days 2 --scale 0.3".split(), [], True),
    "small-eager": ("--sites 8 --days 2".split() + of_size(0.1), EAGER, False),
}

WEIGHTS = ("bias", "ratio", "hosts", "sites", "lasted")
RIDGE = 0.5  # keeps weights finite where a feature separates all


def make(kizashi, folder, seeds):
    for seed in seeds:
        for name, (simulated, replayed, announced) in RUNS.items():
            to = pathlib.Path(folder) / f"{name}-{seed}"
            if (to / "alerts.jsonl").exists():
                continue
            with tempfile.TemporaryDirectory() as scratch:
                subprocess.run([kizashi, "simulate", "telescope", "--out", scratch + "/sim", "--seed", seed,
                                *simulated], check=True, stderr=subprocess.DEVNULL)
                sites = [word for path in sorted(pathlib.Path(scratch, "sim").glob("*.pcap"))
                         for word in ("--site", f"{path.stem}={path}")]
                lists = ["--survey-list", scratch + "/sim/surveys.txt"] if announced else []
                subprocess.run([kizashi, "replay", "--no-store", "--quiet", "--alerts", scratch + "/alerts", *sites,
                                *lists, *replayed], check=True)
                to.mkdir(parents=True, exist_ok=True)
                shutil.copy(scratch + "/sim/truth.json", to)
                shutil.copy(scratch + "/alerts", to / "alerts.jsonl")
            print(to, flush=True)


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def is_true(alert, truth):
    return any(alert["proto"] == event["proto"] and set(alert["ports"]) & set(event["ports"]) and
               seconds(event["start"]) <= seconds(alert["time"]) <= seconds(event["end"]) + 1800
               for event in truth["events"])


def largest(alert, name, otherwise):
    return max((number["value"] for evidence in alert["evidence"].values() for number in evidence["numbers"]
                if number["name"] == name), default=otherwise)


def features(alert):
    """As src/alert/confidence.c takes them: the chance that it is no chance, and what the rest depends on."""
    score = min(max(largest(alert, "score", 0.0), 0.0), 300.0)
    lasted = seconds(alert["end"]) - seconds(alert["start"])
    return 1.0 / (1.0 + 10.0 ** -score), (
        1.0, math.log2(max(largest(alert, "ratio", 1.0), 1.0)), math.log2(1.0 + alert["host_count"]),
        math.log2(max(len(alert["sites"]), 1)), math.log2(1.0 + lasted / 600.0))


def cause(alert):
    return tuple(alert["sites"]), seconds(alert["start"]) // 3600


def read(folder):
    """[(features, true?, weight, alert)]"""
    rows = []
    for path in sorted(pathlib.Path(folder).glob("*/alerts.jsonl")):
        truth = json.loads((path.parent / "truth.json").read_text())
        forms = {}
        for line in path.open():
            alert = json.loads(line)
            forms.setdefault(alert["id"], []).append(alert)
        burst = collections.Counter(cause(of_one[0]) for of_one in forms.values())
        for of_one in forms.values():
            chosen = sorted({0, len(of_one) // 2, len(of_one) - 1})
            true = is_true(of_one[0], truth)
            weight = 1.0 / len(chosen) / burst[cause(of_one[0])]
            rows += [(features(of_one[i]), true, weight, of_one[i]) for i in chosen]
    return rows


def solve(matrix, right):
    """Gauss, with the largest pivot."""
    size = len(right)
    rows = [row[:] + [value] for row, value in zip(matrix, right)]
    for k in range(size):
        pivot = max(range(k, size), key=lambda i: abs(rows[i][k]))
        rows[k], rows[pivot] = rows[pivot], rows[k]
        for i in range(size):
            if i != k:
                factor = rows[i][k] / rows[k][k]
                rows[i] = [a - factor * b for a, b in zip(rows[i], rows[k])]
    return [rows[k][size] / rows[k][k] for k in range(size)]


def share(weights, row):
    return 1.0 / (1.0 + math.exp(-max(min(sum(w * x for w, x in zip(weights, row)), 30.0), -30.0)))


def confidence(weights, both):
    return min(max(both[0] * share(weights, both[1]), 0.01), 0.99)


def scoring(rows, used):
    """Most likely weights of the features in `used`, with a ridge: Fisher's scoring."""
    size = len(used)
    weights = [0.0] * size
    for _ in range(100):
        gradient = [-RIDGE * w if k else 0.0 for k, w in enumerate(weights)]
        information = [[RIDGE if i == k and k else 0.0 for i in range(size)] for k in range(size)]
        for (no_chance, all_features), true, weight, _ in rows:
            row = [all_features[k] for k in used]
            q = share(weights, row)
            p = min(max(no_chance * q, 1e-9), 1.0 - 1e-9)
            slope = no_chance * q * (1.0 - q)
            for k, value in enumerate(row):
                gradient[k] += weight * (true - p) / (p * (1.0 - p)) * slope * value
                for i, other in enumerate(row):
                    information[k][i] += weight * slope * slope / (p * (1.0 - p)) * value * other
        weights = [w + 0.5 * step for w, step in zip(weights, solve(information, gradient))]
    return weights


def fit(rows):
    """No weight is below 0: more evidence never makes an alert less sure."""
    used = list(range(len(WEIGHTS)))
    while True:
        weights = scoring(rows, used)
        worst = min(range(1, len(used)), key=lambda k: weights[k])
        if weights[worst] >= 0.0:
            break
        del used[worst]
    whole = [0.0] * len(WEIGHTS)
    for k, weight in zip(used, weights):
        whole[k] = weight
    return whole


def tell(title, rows, chances):
    count = sum(row[2] for row in rows)
    true = sum(row[2] for row in rows if row[1])
    base = true / count
    brier = sum(row[2] * (p - row[1]) ** 2 for row, p in zip(rows, chances)) / count
    good = [p for row, p in zip(rows, chances) if row[1]]
    bad = [p for row, p in zip(rows, chances) if not row[1]]
    pairs = sum((x > y) + 0.5 * (x == y) for x in good for y in bad)
    ranked = 100 * pairs / max(len(good) * len(bad), 1)
    print(f"{title}: {count:.0f} alerts, {true:.0f} true; mean squared error {brier:.3f} (of always {base:.2f}: "
          f"{base * (1 - base):.3f}); a true one above a false one in {ranked:.1f} %")
    edges = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 1.01)
    for low, high in zip(edges, edges[1:]):
        here = [(row, p) for row, p in zip(rows, chances) if low <= p < high]
        if here:
            weight = sum(row[2] for row, _ in here)
            print(f"  {low:.2f} to {min(high, 1):.2f}: {weight:5.1f} alerts, said "
                  f"{sum(row[2] * p for row, p in here) / weight:.2f}, true "
                  f"{sum(row[2] for row, _ in here if row[1]) / weight:.2f}")


def main(argv):
    if len(argv) > 4 and argv[1] == "make":
        make(argv[2], argv[3], argv[4:])
    elif len(argv) == 3 and argv[1] == "fit":
        rows = read(argv[2])
        weights = fit(rows)
        print("{" + ", ".join(f".{name} = {value:.2f}" for name, value in zip(WEIGHTS, weights)) + "}")
        tell("fitted", rows, [confidence(weights, row[0]) for row in rows])
    elif len(argv) == 3 and argv[1] == "check":
        rows = read(argv[2])
        tell("as said", rows, [row[3]["confidence"] for row in rows])
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


sys.exit(main(sys.argv))
