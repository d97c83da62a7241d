#!/usr/bin/env python3
"""The graphical lasso beside its peers, on the same data in one run: time and objective.

    tests/bench/num/glasso_peers.py [--build DIR] [--sources P] [--slots N] [--penalty RHO] [--seed S]

Peers are R's glasso (r-cran-glasso), R's huge (r-cran-huge) and scikit-learn (python3-sklearn); one that is not
installed is skipped, and said so. Times are CPU seconds of the solver alone, without start-up and reading. scikit-learn
and huge do not penalise the diagonal in the same way: scikit-learn's objective leaves it out, so it is compared with
our solution with a bare diagonal's; huge stops at its own tolerance, and its objective says how far that is.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

R_GLASSO = """
suppressMessages(library(glasso)); a <- commandArgs(TRUE)
x <- as.matrix(read.table(a[1])); rho <- as.numeric(a[2]); x <- x - rowMeans(x); s <- x %*% t(x) / ncol(x)
t <- system.time(g <- glasso(s, rho, thr = 1e-4))
m <- (g$wi + t(g$wi)) / 2
f <- -as.numeric(determinant(m)$modulus) + sum(s * m) + rho * sum(abs(m))
cat(sprintf("%.4f %.9f %d\\n", t[1] + t[2], f, sum(m[upper.tri(m)] != 0)))
"""
R_HUGE = """
suppressMessages(library(huge)); a <- commandArgs(TRUE)
x <- as.matrix(read.table(a[1])); rho <- as.numeric(a[2]); x <- x - rowMeans(x); s <- x %*% t(x) / ncol(x)
t <- system.time(h <- huge(s, lambda = rho, method = "glasso", verbose = FALSE))
m <- as.matrix(h$icov[[1]]); m <- (m + t(m)) / 2
f <- -as.numeric(determinant(m)$modulus) + sum(s * m) + rho * sum(abs(m))
cat(sprintf("%.4f %.9f %d\\n", t[1] + t[2], f, sum(m[upper.tri(m)] != 0)))
"""
SKLEARN = """
import sys, time, warnings
import numpy as np
from sklearn.covariance import graphical_lasso
warnings.simplefilter("ignore")
x = np.loadtxt(sys.argv[1]); rho = float(sys.argv[2]); x -= x.mean(axis=1, keepdims=True); s = x @ x.T / x.shape[1]
t = time.process_time()
_, m = graphical_lasso(s, rho, tol=1e-4, max_iter=200)
t = time.process_time() - t
m = (m + m.T) / 2
off = np.abs(m).sum() - np.abs(np.diag(m)).sum()
f = -np.linalg.slogdet(m)[1] + (s * m).sum() + rho * off
print("%.4f %.9f %d" % (t, f, (m[np.triu_indices(len(m), 1)] != 0).sum()))
"""


def ours(args, data, bare):
    command = [os.path.join(args.build, "tests/bench/num/bench_glasso"), str(args.sources), str(args.slots),
               str(args.penalty), str(args.seed), "3"]
    if data:
        command.append(data)
    env = dict(os.environ, GLASSO_BARE="1") if bare else os.environ
    text = subprocess.run(command, check=True, capture_output=True, text=True, env=env).stdout
    found = re.search(r": ([\d.]+) s .*objective (\S+) edges (\d+).*residual (\S+)", text)
    return float(found[1]), float(found[2]), int(found[3]), found[4]


def peer(name, command, args, data):
    try:
        text = subprocess.run(command + [data, str(args.penalty)], capture_output=True, text=True,
                              timeout=args.timeout, check=True).stdout
    except FileNotFoundError:
        return f"{name}: skipped, {command[0]} is not installed"
    except subprocess.TimeoutExpired:
        return f"{name}: more than {args.timeout} s"
    except subprocess.CalledProcessError as failed:
        last = (failed.stderr.strip().splitlines() or ["no message"])[-1]
        return f"{name}: skipped: {last[:100]}"
    seconds, objective, edges = text.split()
    return float(seconds), float(objective), int(edges)


def main():
    parser = argparse.ArgumentParser(description="The graphical lasso beside its peers.")
    parser.add_argument("--build", default="build")
    parser.add_argument("--sources", type=int, default=1000)
    parser.add_argument("--slots", type=int, default=60)
    parser.add_argument("--penalty", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timeout", type=int, default=900)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = os.path.join(folder, "data.txt")
        scripts = {}
        for name, text in (("glasso.R", R_GLASSO), ("huge.R", R_HUGE), ("scikit.py", SKLEARN)):
            scripts[name] = os.path.join(folder, name)
            with open(scripts[name], "w", encoding="ascii") as out:
                out.write(text)
        best = {False: ours(args, data, False), True: ours(args, None, True)}
        print(f"{args.sources} sources, {args.slots} slots, penalty {args.penalty}, seed {args.seed}; load "
              f"{os.getloadavg()[0]:.1f}")
        for bare, what in ((False, "kizashi"), (True, "kizashi, diagonal bare")):
            print(f"{what:24} {best[bare][0]:9.3f} s  objective {best[bare][1]:.6f}  edges {best[bare][2]}  "
                  f"residual {best[bare][3]}")
        python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
        rscript = shutil.which("Rscript") or "Rscript"
        for name, command, bare in (("R glasso", [rscript, scripts["glasso.R"]], False),
                                    ("R huge", [rscript, scripts["huge.R"]], False),
                                    ("scikit-learn", [python, scripts["scikit.py"]], True)):
            result = peer(name, command, args, data)
            if isinstance(result, str):
                print(result)
                continue
            again = ours(args, None, bare)[0]
            print(f"{name:24} {result[0]:9.3f} s  objective {result[1]:.6f} ({result[1] - best[bare][1]:+.2e})  edges "
                  f"{result[2]}  {result[0] / again:.1f} times ours ({again:.3f} s just after)")


if __name__ == "__main__":
    main()
