#!/usr/bin/env python3
"""Groups of sources that move together: scikit-learn's DBSCAN on what kizashi screen groups writes.

    kizashi screen groups --all --networks 1 --shared 0 --members members.csv --site jp-01=a.pcap ...
    groups_peer.py members.csv [--similar 0.5] [--near 5] [--least 4]

Exact pairwise Jaccard distances in place of MinHash, scikit-learn's clustering in place of union-find. Prints how many
sources each puts into groups, and the adjusted Rand index of the two partitions over those that either does.
"""
import argparse
import csv
import time

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.cluster import DBSCAN
from sklearn.metrics import adjusted_rand_score

WINDOWS = 192


def read(path, least, most):
    bits, networks, groups = [], [], []
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            number = int(row["windows"], 16)
            if least <= bin(number).count("1") <= most:
                bits.append([number >> i & 1 for i in range(WINDOWS)])
                networks.append(int(row["network"], 16))
                groups.append(int(row["group"]))
    return np.array(bits, dtype=np.float32), np.array(networks, dtype=np.uint64), np.array(groups)


def distances(bits, networks, similar):
    """Of pairs that are near and of different networks."""
    sizes = bits.sum(axis=1)
    rows, columns, values = [], [], []
    for start in range(0, len(bits), 1000):
        both = bits[start:start + 1000] @ bits.T
        jaccard = both / (sizes[start:start + 1000, None] + sizes[None, :] - both)
        a, b = np.nonzero(jaccard >= np.float32(similar))
        keep = networks[a + start] != networks[b]
        rows.append(a[keep] + start)
        columns.append(b[keep])
        values.append(np.maximum(1 - jaccard[a[keep], b[keep]], 1e-6))
    rows, columns, values = map(np.concatenate, (rows, columns, values))
    itself = np.arange(len(bits))
    return csr_matrix((np.concatenate([values, np.full(len(bits), 1e-9)]),
                       (np.concatenate([rows, itself]), np.concatenate([columns, itself]))))


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("members")
    options.add_argument("--similar", type=float, default=0.5)
    options.add_argument("--near", type=int, default=5)
    options.add_argument("--least", type=int, default=4)
    options.add_argument("--most", type=int, default=48)
    o = options.parse_args()
    bits, networks, ours = read(o.members, o.least, o.most)
    began = time.process_time()
    graph = distances(bits, networks, o.similar)
    theirs = DBSCAN(eps=1 - o.similar + 1e-6, min_samples=o.near + 1, metric="precomputed").fit(graph).labels_ + 1
    either = (ours > 0) | (theirs > 0)
    print(f"{len(bits)} sources; in groups: kizashi {np.count_nonzero(ours)}, scikit-learn {np.count_nonzero(theirs)}, "
          f"both {np.count_nonzero((ours > 0) & (theirs > 0))}; "
          f"groups: {len(set(ours)) - 1} and {len(set(theirs)) - 1}; adjusted Rand index "
          f"{adjusted_rand_score(ours[either], theirs[either]):.4f}; {time.process_time() - began:.1f} s of CPU")


if __name__ == "__main__":
    main()
