#!/usr/bin/env python3
"""How sure alerts may be: makes simulated runs, fits the weights of src/alert/confidence.c to them, and checks them.

    confidence.py make KIZASHI FOLDER SEED...    runs of each seed into FOLDER/RUN-SEED: alerts.jsonl, truth.json
    confidence.py fit FOLDER                     weights for the alerts of FOLDER, and how well they fit
    confidence.py check FOLDER                   how often they are true, and what confidence.c says

An alert is true if it is about an event of the truth (docs/simulator.md, `kizashi evaluate`); one that names no port,
if an event begins at one of its sites in the two hours before it is given. The runs differ in sites,
length, volume, size and ports of the events, and in how little the engines ask for, so that weak alerts are among them.
Of each alert its first, its middle and its last form count, a third each, since people meet all of them. Alerts of one
run that begin at one site in the same hour have one cause, such as an outage that is over: together they count as one.
"""
import collections
import datetime
import json
import math
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

KINDS = ("worm-growth", "botnet-turn", "country-botnet", "spreading", "one-site", "in-step")
EAGER = "--set surge.min-sources=4 --set surge.min-ratio=1.2 --set growth.own=2 --set growth.ratio=1.3".split()
ALL_EAGER = EAGER + ["--set", "graph.min-sources=3", "--set", "graph.min-ratio=1.2"] + [
    word for engine in ("glasso", "nmf", "tensor") for word in ("--set", engine + ".min-hosts=3")] + [
    "--set", "screen.min-networks=3"]


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
    "brief": ("--sites 4 --days 2 --malware 10".split(), [], True),
    "brief-eager": ("--sites 4 --days 2 --ports random".split() + of_size(0.3), ALL_EAGER, True),
    "faint-eager": ("--sites 3 --days 2 --malware 10".split() + of_size(0.1), ALL_EAGER, False),
}

WEIGHTS = ("bias", "ratio", "hosts", "sites", "lasted", "notice")
NOTICE = WEIGHTS.index("notice")

# The prior of each weight: mean, and how many standard deviations of 1 it stands for. Kinds that are fitted together
# have many alerts; their ridge only keeps weights finite where a feature separates all, and their severity is not used.
# Every other kind begins at what is said of a kind without data, 0.40 for info and 0.80 from notice on, and leaves that
# as far as its own alerts ask for: a bias or a step at notice that is off by 1.5 costs as much as odds of 3 to 1.
TOGETHER = ("port-surge", "high-risk-port", "global-growth")
PRIOR_TOGETHER = {"bias": (0.0, 0.0), "ratio": (0.0, 0.5), "hosts": (0.0, 0.5), "sites": (0.0, 0.5),
                  "lasted": (0.0, 0.5)}
PRIOR_ALONE = {"bias": (math.log(0.4 / 0.6), 0.5), "notice": (math.log(0.8 / 0.2) - math.log(0.4 / 0.6), 0.5),
               "hosts": (0.0, 10.0)}
LEAST = 5.0  # alerts of a kind below which its prior is left as it is


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


def begins_there(alert, event):
    return any(site["site"] in alert["sites"] and
               0 <= seconds(alert["time"]) - seconds(site["onset"]) <= 7200
               for site in event["sites"] if site.get("onset"))


def is_true(alert, truth):
    if not alert["ports"]:
        return any(begins_there(alert, event) for event in truth["events"])
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
        math.log2(max(len(alert["sites"]), 1)), math.log2(1.0 + lasted / 600.0),
        1.0 if alert["severity"] != "info" else 0.0)


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


def scoring(rows, prior):
    """Most likely weights of the features in `prior`: {number: (mean, precision)}, by Fisher's scoring."""
    used = sorted(prior)
    weights = [prior[k][0] for k in used]
    for _ in range(200):
        gradient = [prior[k][1] * (prior[k][0] - w) for k, w in zip(used, weights)]
        information = [[prior[k][1] if i == k else 0.0 for i in used] for k in used]
        for (no_chance, all_features), true, weight, _ in rows:
            row = [all_features[k] for k in used]
            q = share(weights, row)
            p = min(max(no_chance * q, 1e-9), 1.0 - 1e-9)
            slope = no_chance * q * (1.0 - q)
            for k, value in enumerate(row):
                gradient[k] += weight * (true - p) / (p * (1.0 - p)) * slope * value
                for i, other in enumerate(row):
                    information[k][i] += weight * slope * slope / (p * (1.0 - p)) * value * other
        for k in range(len(used)):
            information[k][k] += 1e-9
        weights = [w + 0.3 * step for w, step in zip(weights, solve(information, gradient))]
    whole = [0.0] * len(WEIGHTS)
    for k, weight in zip(used, weights):
        whole[k] = weight
    return whole


def fit(rows, prior):
    """No weight but the bias is below 0: more evidence never makes an alert less sure."""
    prior = {WEIGHTS.index(name): value for name, value in prior.items()}
    while True:
        weights = scoring(rows, prior)
        worst = min((k for k in prior if k), key=lambda k: weights[k])
        if weights[worst] >= 0.0:
            return weights
        del prior[worst]


def fit_all(rows):
    """{kind: weights}, those that are fitted together first; a kind with too few alerts is left out."""
    together = [row for row in rows if row[3]["kind"] in TOGETHER]
    fitted = {kind: fit(together, PRIOR_TOGETHER) for kind in TOGETHER} if together else {}
    for kind in sorted({row[3]["kind"] for row in rows} - set(TOGETHER)):
        own = [row for row in rows if row[3]["kind"] == kind]
        if sum(row[2] for row in own) >= LEAST:
            fitted[kind] = fit(own, PRIOR_ALONE)
    return fitted


def without_fit():
    weights = [0.0] * len(WEIGHTS)
    for name, (mean, _) in PRIOR_ALONE.items():
        weights[WEIGHTS.index(name)] = mean
    return weights


def in_use():
    """The weights of src/alert/confidence.c."""
    source = pathlib.Path(__file__).parents[3] / "src/alert/confidence.c"
    used = {}
    for row in re.findall(r'\{\.kind = "[^}]*\}', source.read_text()):
        kind = re.search(r'\.kind = "([^"]*)"', row).group(1)
        given = {name: float(value) for name, value in re.findall(r"\.(\w+) = (-?[0-9.]+)", row)}
        used[kind] = [given.get(name, 0.0) for name in WEIGHTS]
    return used


def tell_kinds(rows, chances):
    for kind in sorted({row[3]["kind"] for row in rows}):
        own = [(row, p) for row, p in zip(rows, chances) if row[3]["kind"] == kind]
        count = sum(row[2] for row, _ in own)
        true = sum(row[2] for row, _ in own if row[1])
        said = sum(row[2] * p for row, p in own) / count
        brier = sum(row[2] * (p - row[1]) ** 2 for row, p in own) / count
        print(f"  {kind}: {count:.1f} alerts, {true:.1f} true ({true / count:.2f}), said {said:.2f}, "
              f"mean squared error {brier:.3f}")


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
        fitted = fit_all(rows)
        for kind, weights in {**fitted, "others": without_fit()}.items():
            print(f'{{.kind = "{kind}", ' + ", ".join(
                f".{name} = {value:.2f}" for name, value in zip(WEIGHTS, weights) if abs(value) >= 0.005) + "},")
        chances = [confidence(fitted.get(row[3]["kind"], without_fit()), row[0]) for row in rows]
        tell("fitted", rows, chances)
        tell_kinds(rows, chances)
    elif len(argv) == 3 and argv[1] == "check":
        rows = read(argv[2])
        used = in_use()
        chances = [confidence(used.get(row[3]["kind"], used["others"]), row[0]) for row in rows]
        tell("in use", rows, chances)
        tell_kinds(rows, chances)
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


sys.exit(main(sys.argv))
