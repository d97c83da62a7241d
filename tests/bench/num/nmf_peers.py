#!/usr/bin/env python3
"""CPU time to one and the same loss: bench_nmf against scikit-learn's NMF, both solvers.

Usage: nmf_peers.py path/to/bench_nmf [repeats]      (needs python3-sklearn)

Both begin from the same factors. scikit-learn's multiplicative update does 200 iterations;
the loss it reaches is the target of the others. CPU time of one thread; runs alternate, the
least of the repeats is told.
"""
import os
import subprocess
import sys
import tempfile
import time

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np
import scipy.sparse as sp
import sklearn
from sklearn.decomposition import non_negative_factorization


def read_case(path, sparse):
    with open(path, "rb") as f:
        rows, cols, rank, count = np.fromfile(f, np.uint64, 4).astype(int)
        value = np.fromfile(f, np.float64, count)
        if sparse:
            column = np.fromfile(f, np.uint32, count).astype(np.int32)
            first = np.fromfile(f, np.uint64, rows + 1).astype(np.int32)
            v = sp.csr_matrix((value, column, first), (rows, cols))
        else:
            v = value.reshape(rows, cols)
        w = np.fromfile(f, np.float64, rank * rows).reshape(rank, rows).T.copy()
        h = np.fromfile(f, np.float64, rank * cols).reshape(rank, cols)
    return v, w, h


def loss_of(v, w, h, poisson):
    dense = v.toarray() if sp.issparse(v) else v
    m = w @ h
    if not poisson:
        return 0.5 * ((dense - m) ** 2).sum()
    some = dense > 0
    return (dense[some] * np.log(dense[some] / m[some])).sum() - dense.sum() + m.sum()


def peer(v, w0, h0, poisson, solver, iterations):
    start = time.process_time()
    w, h, _ = non_negative_factorization(
        v, W=w0.copy(), H=h0.copy(), n_components=w0.shape[1], init="custom", solver=solver,
        beta_loss="kullback-leibler" if poisson else "frobenius", tol=0, max_iter=iterations)
    return time.process_time() - start, loss_of(v, w, h, poisson)


def ours(bench, case, loss, target):
    text = subprocess.run([bench, case, loss, "descent", repr(target)], check=True,
                          capture_output=True, text=True).stdout.split()
    return float(text[text.index("iterations") + 1]), float(text[-1]), int(text[4])


def main():
    bench, repeats = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3
    print(f"scikit-learn {sklearn.__version__}, one thread, load {os.getloadavg()[0]:.1f}")
    for case in ("dense", "sparse"):
        path = tempfile.mktemp()
        subprocess.run([bench, case, path], check=True)
        v, w, h = read_case(path, case == "sparse")
        os.unlink(path)
        for loss in ("square", "poisson"):
            theirs, mine = [], []
            target, most = None, 0
            for _ in range(repeats):
                spent, target = peer(v, w, h, loss == "poisson", "mu", 200)
                theirs.append(spent)
                spent, reached, most = ours(bench, case, loss, target * (1 + 1e-12))
                assert reached <= target * (1 + 1e-9)
                mine.append(spent)
            print(f"{case:7} {loss:8} loss {target:.6g}: scikit-learn MU, 200 iterations "
                  f"{min(theirs):.2f} s; kizashi, {most} iterations {min(mine):.3f} s; "
                  f"{min(theirs) / min(mine):.1f} times as fast", flush=True)


main()
