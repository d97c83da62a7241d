#!/usr/bin/python3
"""Learning from few labels: scikit-learn on what kizashi screen rules --features writes.

    kizashi screen rules --propose --labels labels.csv --per-label 20 --features sources.csv ... > rules
    peers.py sources.csv [labels a class [draws]]

The same numbers and things as columns, so many labels of each class drawn at random, all others to be told: macro F1 of
label spreading, of a decision tree and of a random forest, mean over the draws.
"""
import csv
import random
import sys
import warnings

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score
from sklearn.semi_supervised import LabelSpreading
from sklearn.tree import DecisionTreeClassifier

MOST = 6000  # sources: label spreading takes memory for all pairs


def read(path, draw):
    with open(path, newline="", encoding="ascii") as file:
        rows = [row for row in csv.DictReader(file) if row["label"]]
    random.Random(draw).shuffle(rows)
    kept, count = [], {}
    for row in rows:
        count[row["label"]] = count.get(row["label"], 0) + 1
        if count[row["label"]] <= MOST // 15:
            kept.append(row)
    return kept


def columns(rows):
    numbers = [name for name in rows[0] if name not in ("source", "label", "things")]
    dense = np.log1p([[float(row[name]) for name in numbers] for row in rows])
    places, cells = {}, []
    for number, row in enumerate(rows):
        for thing in row["things"].split():
            for trait in (thing, thing.split("(")[0]):
                cells.append((number, places.setdefault(trait, len(places))))
    cells = sorted(set(cells))
    things = csr_matrix((np.ones(len(cells)), zip(*cells)), shape=(len(rows), len(places)))
    return csr_matrix(hstack([csr_matrix(dense), things]))


def one(path, labels, draw):
    rows = read(path, draw)
    x = columns(rows)
    names = sorted({row["label"] for row in rows})
    y = np.array([names.index(row["label"]) for row in rows])
    seen, given = {}, np.zeros(len(y), bool)
    for i, label in enumerate(y):
        given[i] = seen.get(label, 0) < labels
        seen[label] = seen.get(label, 0) + 1
    result = {}
    small = TruncatedSVD(30, random_state=draw).fit_transform(x)
    target = np.where(given, y, -1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spread = LabelSpreading(kernel="knn", n_neighbors=7, max_iter=50).fit(small, target)
    result["label spreading"] = spread.transduction_
    for name, model in (("decision tree", DecisionTreeClassifier(random_state=draw)),
                        ("random forest", RandomForestClassifier(300, random_state=draw))):
        result[name] = model.fit(x[given], y[given]).predict(x)
    return {name: f1_score(y[~given], told[~given], average="macro") for name, told in result.items()}


def main(argv):
    labels = int(argv[2]) if len(argv) > 2 else 20
    draws = int(argv[3]) if len(argv) > 3 else 3
    all_scores = [one(argv[1], labels, draw) for draw in range(1, draws + 1)]
    for name in all_scores[0]:
        print(f"{name:16} macro F1 {np.mean([score[name] for score in all_scores]):.4f}")


main(sys.argv)
