#!/usr/bin/env python3
"""ChangeFinder written a second time, from the formulas and in exact fractions where it solves the
Yule-Walker equations, to print what test_sdar.c compares with: value, loss, change score."""
import math
from fractions import Fraction


def solve(matrix, right):
    n = len(right)
    rows = [[Fraction(v) for v in row] + [Fraction(b)] for row, b in zip(matrix, right)]
    for i in range(n):
        pivot = next((k for k in range(i, n) if rows[k][i] != 0), None)
        if pivot is None:
            return [0.0] * n
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for k in range(n):
            if k != i:
                factor = rows[k][i] / rows[i][i]
                rows[k] = [a - factor * b for a, b in zip(rows[k], rows[i])]
    return [float(rows[i][n] / rows[i][i]) for i in range(n)]


class Sdar:
    def __init__(self, order, r):
        self.order, self.r, self.mu, self.s = order, r, None, 1.0
        self.c, self.seen = [0.0] * (order + 1), []

    def learn(self, x):
        r, k = self.r, self.order
        self.mu = (1 - r) * (x if self.mu is None else self.mu) + r * x
        for j in range(k + 1):
            if j <= len(self.seen):
                other = x if j == 0 else self.seen[-j]
                self.c[j] = (1 - r) * self.c[j] + r * (x - self.mu) * (other - self.mu)
        guess = self.mu
        if len(self.seen) >= k and self.c[0] > 1e-12:
            a = solve([[self.c[abs(i - j)] for i in range(k)] for j in range(k)], self.c[1:])
            guess += sum(a[i] * (self.seen[-1 - i] - self.mu) for i in range(k))
        self.s = (1 - r) * self.s + r * (x - guess) ** 2
        self.seen.append(x)
        return 0.5 * (math.log(2 * math.pi * self.s) + (x - guess) ** 2 / self.s)


def series():
    state = 12345
    for t in range(120):
        state = (1103515245 * state + 12345) % 2**31
        yield 20 + (15 if t >= 80 else 0) + state / 2**31 * 6 + 4 * math.sin(t / 7)


model, above, losses, changes = Sdar(2, 0.005), Sdar(2, 0.005), [], []
for t, x in enumerate(series()):
    losses.append(model.learn(x))
    changes.append(above.learn(sum(losses[-10:]) / len(losses[-10:])))
    if t in (0, 1, 2, 15, 40, 79, 80, 85, 100, 119):
        print("    {%d, %.12f, %.12f, %.12f}," % (t, x, losses[-1], sum(changes[-5:]) / len(changes[-5:])))
