#!/usr/bin/env python3
"""The graphical lasso beside its peers: the same S, the same penalty, the same objective, the same accuracy.

    tests/bench/num/glasso_peers.py [--build DIR] [--sources P] [--slots N,N] [--penalty RHO] [--seed S] [--gap G]

Peers are R's glasso (r-cran-glasso), R's huge (r-cran-huge) and scikit-learn (python3-sklearn); one that is not
installed is skipped, and said so. Whatever a program says of its own result, every solution is judged here in the same
way, from its matrix T: the objective -log det T + tr(S T) + rho * sum |t_ij|, and the duality gap, which is how far it
can be from the least one: W = inverse of T is moved into the bounds |w_ij - s_ij| <= rho, and the gap is the objective
less log det W + p. Each program is run with smaller and smaller tolerances until the gap is at most G a variable; the
time is that of the first run that reaches it, CPU seconds of the solver alone on one thread. scikit-learn's objective
leaves the diagonal out of the penalty, so it is compared with ours with a bare diagonal.
"""
import argparse
import os
import re
import shutil
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
from sklearn.covariance import graphical_lasso
warnings.simplefilter("ignore")
x = np.loadtxt(sys.argv[1]); x -= x.mean(axis=1, keepdims=True); s = x @ x.T / x.shape[1]
t = time.process_time()
_, m = graphical_lasso(s, float(sys.argv[2]), tol=float(sys.argv[4]), enet_tol=1e-5, max_iter=1000)
t = time.process_time() - t
m.tofile(sys.argv[3]); print(t)
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


def ours(args, slots, folder, bare, tolerance):
    data, solution = os.path.join(folder, "data.txt"), os.path.join(folder, "ours.bin")
    command = [os.path.join(args.build, "tests/bench/num/bench_glasso"), str(args.sources), str(slots),
               str(args.penalty), str(args.seed), "3", data, solution]
    env = dict(os.environ, GLASSO_TOLERANCE=str(tolerance), **({"GLASSO_BARE": "1"} if bare else {}))
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


def until_accurate(run, s, rho, bare, tolerances, most):
    """The first run within the gap, or the last."""
    result = None
    for tolerance in tolerances:
        seconds, t = run(tolerance)
        result = (seconds, *judge(s, t.reshape(s.shape), rho, bare), tolerance)
        if result[2] <= most:
            break
    return result


def compare(args, slots, folder, scripts):
    p = args.sources
    most = args.gap * p
    reference = {}
    for bare in (False, True):
        _, _ = ours(args, slots, folder, bare, 1e-3)
        x = np.loadtxt(os.path.join(folder, "data.txt"))
        x -= x.mean(axis=1, keepdims=True)
        s = x @ x.T / slots
        reference[bare] = until_accurate(lambda tol, bare=bare: ours(args, slots, folder, bare, tol), s, args.penalty,
                                         bare, [1e-4, 1e-5, 1e-6, 1e-7, 1e-8], most)
    print(f"{p} sources, {slots} slots, penalty {args.penalty}, seed {args.seed}, gap at most {most:g}; load "
          f"{os.getloadavg()[0]:.1f}")
    show = "{:24} {:9.3f} s  objective {:.6f}  gap {:.1e}  edges {}  tolerance {:g}"
    for bare, what in ((False, "kizashi"), (True, "kizashi, diagonal bare")):
        print(show.format(what, *reference[bare]), flush=True)
    python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
    rscript = shutil.which("Rscript") or "Rscript"
    for name, command, bare, tolerances in (
            ("R glasso", [rscript, scripts["glasso.R"]], False, [1e-4, 1e-5, 1e-6, 1e-7, 1e-8]),
            ("R huge", [rscript, scripts["huge.R"]], False, [0]),
            ("scikit-learn", [python, scripts["scikit.py"]], True, [most, most / 10])):
        try:
            result = until_accurate(lambda tol, c=command: peer(c, args, folder, tol), s, args.penalty, bare,
                                    tolerances, most)
        except FileNotFoundError:
            print(f"{name}: skipped, {command[0]} is not installed")
            continue
        except subprocess.TimeoutExpired:
            print(f"{name}: more than {args.timeout} s of wall time")
            continue
        except subprocess.CalledProcessError as failed:
            print(f"{name}: skipped: {(failed.stderr.strip().splitlines() or ['no message'])[-1][:100]}")
            continue
        again = ours(args, slots, folder, bare, reference[bare][4])[0]
        print(show.format(name, *result), f" {result[0] / again:.1f} times ours ({again:.3f} s just after)"
              + ("" if result[2] <= most else "; did not reach the gap"), flush=True)


def main():
    parser = argparse.ArgumentParser(description="The graphical lasso beside its peers.")
    parser.add_argument("--build", default="build")
    parser.add_argument("--sources", type=int, default=1000)
    parser.add_argument("--slots", default="12,60")
    parser.add_argument("--penalty", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--gap", type=float, default=1e-6, help="duality gap a variable")
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
