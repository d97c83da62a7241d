#!/usr/bin/env python3
"""Losses for test_nmf.c from scikit-learn's multiplicative update, from the same start.

Usage: nmf_golden.py    (needs python3-sklearn; prints the rows of the table)
"""
import warnings

import numpy as np
from sklearn.decomposition import non_negative_factorization

warnings.filterwarnings("ignore")
ROWS, COLS, RANK = 12, 9, 3
v = np.array([[(7 * i * i + 3 * j * j + 5 * i * j) % 11 for j in range(COLS)]
              for i in range(ROWS)], float)
w0 = np.array([[1 + (i + 2 * k) % 5 / 7 for k in range(RANK)] for i in range(ROWS)])
h0 = np.array([[1 + (3 * j + k) % 4 / 9 for j in range(COLS)] for k in range(RANK)])
for loss in ("frobenius", "kullback-leibler"):
    for iterations in (1, 10, 100):
        w, h, _ = non_negative_factorization(
            v, W=w0.copy(), H=h0.copy(), n_components=RANK, init="custom", solver="mu",
            beta_loss=loss, tol=0, max_iter=iterations)
        m = w @ h
        if loss == "frobenius":
            value = 0.5 * ((v - m) ** 2).sum()
        else:
            some = v > 0
            value = (v[some] * np.log(v[some] / m[some])).sum() - v.sum() + m.sum()
        print(f"{{NMF_{'SQUARE' if loss == 'frobenius' else 'POISSON'}, {iterations}, {value:.15g}}},")
