#!/usr/bin/env python3
"""The graphical lasso beside its peers: the same S, the same penalty, the same objective, the same accuracy.

    tests/bench/num/glasso_peers.py [--build DIR] [--sources P] [--slots N,N] [--penalty RHO] [--seed S]
                                    [--gap G | --equal E] [--capture FILE --after SECONDS --length SECONDS]

Peers are R's glasso (r-cran-glasso), R's huge (r-cran-huge) and scikit-learn (python3-sklearn); one that is not
installed is skipped, and said so. Whatever a program says of its own result, every solution is judged here in the same
way, from its matrix T: the objective -log det T + tr(S T) + rho * sum |t_ij|, and the duality gap, which is how far it
can be from the least one: W = inverse of T is moved into the bounds |w_ij - s_ij| <= rho, and the gap is the objective
less log det W + p. The goal is a gap of at most G a variable or, with --equal E, an objective that is above the least
one (ours at the smallest tolerance) by no more than the share E. Each program is run with smaller and smaller
tolerances until it is there; the time is that of the first run that is, CPU seconds of the solver alone on one thread.
scikit-learn is looked at after each of its sweeps, and the time is that of the first that is there, whatever its own
tolerance; it is run with several of `enet_tol`, and the fastest counts (as lars it came no nearer than 4e-3 in a
minute). Its objective leaves the diagonal out of the penalty, so it is compared with ours with a bare diagonal.

The data are drawn, or with --capture are those of a capture: log counts of the /16 networks that send in so many slots
of --length seconds, --sources of them drawn by the seed if there are more.
"""
import argparse
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

import numpy as np

R_GLASSO = """
suppressMessages(library(glasso)); a <- commandArgs(TRUE)
x <- as.matrix(read.table(a[1])); rho <- as.numeric(a[2]); x <- x - rowMeans(x); s <- x %*% t(x) / ncol(x)
t <- system.time(g <- glasso(s, rho, thr = as.numeric(a[4])))
writeBin(as.numeric(g$wi), a[3]); cat(t[1] + t[2])
"""
R_HUGE = """
suppressMessages(library(huge)); a <- commandArgs(TRUE)
x <- as.matrix(read.table(a[1])); rho <- as.numeric(a[2]); x <- x - rowMeans(x); s <- x %*% t(x) / ncol(x)
t <- system.time(h <- huge(s, lambda = rho, method = "glasso", verbose = FALSE))
writeBin(as.numeric(as.matrix(h$icov[[1]])), a[3]); cat(t[1] + t[2])
"""
SKLEARN = """
import sys, time, warnings
import numpy as np
sys.path.insert(0, sys.argv[4])
from glasso_peers import Goal, judge
import sklearn.covariance._graph_lasso as its
warnings.simplefilter("ignore")
goal = Goal(*map(float, sys.argv[5:8])); mode, enet, rho = sys.argv[8], float(sys.argv[9]), float(sys.argv[2])
x = np.loadtxt(sys.argv[1]); x -= x.mean(axis=1, keepdims=True); s = x @ x.T / x.shape[1]
class Reached(Exception): pass
lost = 0.0
last = None
def look(cov, t, alpha):  # in the place of its own measure of how far it is, once a sweep; the time of this is left out
    global lost, last
    now = time.process_time()
    last = now - begun - lost, t.copy()
    if goal.met(*judge(s, t, rho, True)[:2]):
        raise Reached
    lost += time.process_time() - now
    return np.inf
its._dual_gap = look
begun = time.process_time()
try:
    its.graphical_lasso(s, rho, mode=mode, enet_tol=enet, max_iter=60)
except Reached:
    pass
last[1].tofile(sys.argv[3]); print(last[0])
"""
ONE_THREAD = {name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")}


def judge(s, t, rho, bare):
    """Objective, duality gap and edges of a solution."""
    t = (t + t.T) / 2
    sign, log_det = np.linalg.slogdet(t)
    if sign <= 0:
        return float("inf"), float("inf"), 0
    weight = np.full_like(s, rho)
    if bare:
        np.fill_diagonal(weight, 0.0)
    objective = -log_det + (s * t).sum() + (weight * np.abs(t)).sum()
    w = s + np.clip(np.linalg.inv(t) - s, -weight, weight)
    np.fill_diagonal(w, np.diag(s) + np.diag(weight))
    sign, log_det = np.linalg.slogdet(w)
    gap = objective - (log_det + len(s)) if sign > 0 else float("inf")
    return objective, gap, int((t[np.triu_indices(len(t), 1)] != 0).sum())


class Goal:
    """How good a solution must be: a gap of at most `gap`, or an objective within `share` of `least`."""
    def __init__(self, gap, least=0.0, share=0.0):
        self.gap, self.least, self.share = gap, least, share

    def met(self, objective, gap):
        if self.share:
            return objective - self.least <= self.share * abs(self.least)
        return gap <= self.gap


def packets_of(path):
    """Seconds and source (IPv4) of each packet of a classic capture with Ethernet or raw frames."""
    with open(path, "rb") as f:
        head = f.read(24)
        order = "<" if head[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
        skip = {1: 14, 12: 0, 14: 0, 101: 0, 228: 0}[struct.unpack(order + "I", head[20:])[0]]
        fraction = 1e-9 if head[0] in (0x4d, 0xa1) and 0x3c in head[:4] else 1e-6
        while len(record := f.read(16)) == 16:
            seconds, part, kept, _ = struct.unpack(order + "4I", record)
            frame = f.read(kept)[skip:]
            if len(frame) >= 20 and frame[0] >> 4 == 4:
                yield seconds + part * fraction, frame[12:16]


def from_capture(args, slots, path):
    """Log counts of a stretch of a capture, into a file; sets the number of sources."""
    counts, start = {}, None
    for when, source in packets_of(args.capture):
        start = when + args.after if start is None else start
        if when >= start + args.length:
            break
        if when >= start:
            row = counts.setdefault(source[:2], np.zeros(slots))
            row[min(int((when - start) * slots / args.length), slots - 1)] += 1
    networks = sorted(counts)
    if len(networks) > args.sources:
        drawn = np.random.default_rng(args.seed).choice(len(networks), args.sources, replace=False)
        networks = [networks[i] for i in sorted(drawn)]
    args.count = len(networks)
    np.savetxt(path, [np.log(np.maximum(counts[n], 0.1)) for n in networks], fmt="%.17g")


def ours(args, slots, folder, bare, tolerance):
    data, solution = os.path.join(folder, "data.txt"), os.path.join(folder, "ours.bin")
    command = [os.path.join(args.build, "tests/bench/num/bench_glasso"), str(args.count), str(slots),
               str(args.penalty), str(args.seed), "3", data, solution]
    env = dict(os.environ, GLASSO_TOLERANCE=str(tolerance), **({"GLASSO_BARE": "1"} if bare else {}),
               **({"GLASSO_READ": "1"} if args.capture else {}))
    text = subprocess.run(command, check=True, capture_output=True, text=True, env=env).stdout
    return float(re.search(r"best ([\d.]+)", text)[1]), np.fromfile(solution)


def peer(command, args, folder, tolerance):
    solution = os.path.join(folder, "peer.bin")
    if os.path.exists(solution):
        os.unlink(solution)
    full = command + [os.path.join(folder, "data.txt"), str(args.penalty), solution, str(tolerance)]
    out = subprocess.run(full, capture_output=True, text=True, timeout=args.timeout, check=True,
                         env=dict(os.environ, **ONE_THREAD)).stdout
    return float(out.split()[-1]), np.fromfile(solution)


def until_accurate(run, s, rho, bare, tolerances, goal):
    """The first run that meets the goal, or the last."""
    result = None
    for tolerance in tolerances:
        seconds, t = run(tolerance)
        result = (seconds, *judge(s, t.reshape(s.shape), rho, bare), tolerance)
        if goal.met(*result[1:3]):
            break
    return result


def scikit(args, folder, script, s, goal):
    """The fastest of its ways to the goal; if none leads there, the one that comes nearest."""
    python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
    best = None
    for mode, enet in (("cd", 1e-3), ("cd", 1e-4), ("cd", 1e-6), ("cd", 1e-9)):
        solution = os.path.join(folder, "peer.bin")
        command = [python, script, os.path.join(folder, "data.txt"), str(args.penalty), solution,
                   os.path.dirname(os.path.abspath(__file__)), repr(goal.gap), repr(goal.least), repr(goal.share),
                   mode, str(enet)]
        try:
            out = subprocess.run(command, capture_output=True, text=True, timeout=args.timeout, check=True,
                                 env=dict(os.environ, **ONE_THREAD)).stdout
        except subprocess.CalledProcessError as failed:
            print(f"  scikit-learn, {mode} {enet:g}: {failed.stderr.strip().splitlines()[-1][:100]}")
            continue
        except subprocess.TimeoutExpired:
            print(f"  scikit-learn, {mode} {enet:g}: more than {args.timeout} s of wall time")
            continue
        found = (float(out.split()[-1]), *judge(s, np.fromfile(solution).reshape(s.shape), args.penalty, True), enet)
        print(f"  scikit-learn, {mode} {enet:g}: {found[0]:.3f} s, objective {found[1]:.6f}, gap {found[2]:.1e}",
              flush=True)
        there = goal.met(*found[1:3])
        if not best or (not there, found[0] if there else found[1]) < best[0]:
            best = (not there, found[0] if there else found[1]), found
    return best[1] if best else None


LADDER = [0.3, 0.1, 0.05, 0.02, 0.01, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8]


def compare(args, slots, folder, scripts):
    args.count = args.sources
    if args.capture:
        from_capture(args, slots, os.path.join(folder, "data.txt"))
    p = args.count
    reference, goals = {}, {}
    for bare in (False, True):
        _, exact = ours(args, slots, folder, bare, 1e-8)
        x = np.loadtxt(os.path.join(folder, "data.txt"))
        x -= x.mean(axis=1, keepdims=True)
        s = x @ x.T / slots
        goals[bare] = Goal(args.gap * p, judge(s, exact.reshape(s.shape), args.penalty, bare)[0], args.equal)
        reference[bare] = until_accurate(lambda tol, bare=bare: ours(args, slots, folder, bare, tol), s, args.penalty,
                                         bare, LADDER, goals[bare])
    aim = f"objective within {args.equal:g} of the least" if args.equal else f"gap at most {args.gap * p:g}"
    print(f"{p} sources ({len(np.unique(s, axis=0))} different), {slots} slots, penalty {args.penalty}, seed "
          f"{args.seed}, {aim}; load {os.getloadavg()[0]:.1f}")
    show = "{:24} {:9.3f} s  objective {:.6f}  gap {:.1e}  edges {}  tolerance {:g}"
    for bare, what in ((False, "kizashi"), (True, "kizashi, diagonal bare")):
        print(show.format(what, *reference[bare]), flush=True)
    rscript = shutil.which("Rscript") or "Rscript"

    def scripted(name, tolerances):
        command = [rscript, scripts[name]]
        return until_accurate(lambda tol: peer(command, args, folder, tol), s, args.penalty, False, tolerances,
                              goals[False])

    for name, bare, run in (
            ("R glasso", False, lambda: scripted("glasso.R", [1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8])),
            ("R huge", False, lambda: scripted("huge.R", [0])),
            ("scikit-learn", True, lambda: scikit(args, folder, scripts["scikit.py"], s, goals[True]))):
        if args.only and args.only not in name:
            continue
        try:
            result = run()
        except FileNotFoundError:
            print(f"{name}: skipped, {rscript} is not installed")
            continue
        except subprocess.TimeoutExpired:
            print(f"{name}: more than {args.timeout} s of wall time")
            continue
        except subprocess.CalledProcessError as failed:
            print(f"{name}: skipped: {(failed.stderr.strip().splitlines() or ['no message'])[-1][:100]}")
            continue
        if not result:
            print(f"{name}: no result")
            continue
        again = ours(args, slots, folder, bare, reference[bare][4])[0]
        print(show.format(name, *result), f" {result[0] / again:.1f} times ours ({again:.4f} s just after)"
              + ("" if goals[bare].met(*result[1:3]) else "; did not get there"), flush=True)


def main():
    parser = argparse.ArgumentParser(description="The graphical lasso beside its peers.")
    parser.add_argument("--build", default="build")
    parser.add_argument("--sources", type=int, default=1000)
    parser.add_argument("--slots", default="12,60")
    parser.add_argument("--penalty", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--gap", type=float, default=1e-6, help="duality gap a variable")
    parser.add_argument("--equal", type=float, default=0.0, help="share of the least objective, in place of the gap")
    parser.add_argument("--capture", help="a capture whose packets are the data")
    parser.add_argument("--after", type=float, default=0.0, help="seconds of it that are left out")
    parser.add_argument("--length", type=float, default=600.0, help="seconds of it that are taken")
    parser.add_argument("--only", help="peers whose name holds this")
    parser.add_argument("--timeout", type=int, default=900)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scripts = {}
        for name, text in (("glasso.R", R_GLASSO), ("huge.R", R_HUGE), ("scikit.py", SKLEARN)):
            scripts[name] = os.path.join(folder, name)
            with open(scripts[name], "w", encoding="ascii") as out:
                out.write(text)
        for slots in args.slots.split(","):
            compare(args, int(slots), folder, scripts)


if __name__ == "__main__":
    main()
