"""Writes lowRank.json: singular values and errors of low rank, of matrices and of their outputs, in 60 digits.

Run with Python 3 and mpmath (1.3 was used): python3 make_lowRank.py

Entries are multiples of 1/8, exact in f32. For a matrix W and inputs X (samples, n): the singular values of W and of W X'; for each rank, the least error
of W, and, with U the left singular vectors of W X' and beyond its rank those of what they leave of W, the errors of U U' W.
"""

import json
import random
from pathlib import Path

import mpmath as mp

mp.mp.dps = 60
EPS = mp.mpf(10) ** -45


def eighths(rows, columns, draw, spread=lambda i, j: 1):
    return [[round(draw.gauss(0, 4) * spread(i, j)) / 8 for j in range(columns)] for i in range(rows)]


def norm(a):
    return mp.sqrt(mp.fsum(x * x for x in a))


def svd(a):
    """U, S of a, whatever its shape."""
    if a.rows >= a.cols:
        u, s, _ = mp.svd_r(a)
    else:
        _, s, v = mp.svd_r(a.T)
        u = v.T
    return u, [s[i] for i in range(len(s))]


def column(u, r):
    return u[:, r]


def errors(w, x):
    k = min(w.rows, w.cols)
    _, s = svd(w)
    total = norm(s)
    plain = [norm(s[r:]) / total for r in range(1, k + 1)]
    u, seen = svd(w * x.T)
    rank = sum(1 for value in seen if value > EPS * seen[0])
    basis = [column(u, r) for r in range(rank)]
    rest = w.copy()
    for b in basis:
        rest -= b * (b.T * w)
    left, sizes = svd(rest)
    basis += [column(left, r) for r in range(k - rank) if sizes[r] > EPS * total]
    outputs, matrix = [], []
    near = mp.matrix(w.rows, w.cols)
    for r in range(k):
        if r < len(basis):
            near += basis[r] * (basis[r].T * w)
        outputs.append(norm((w - near) * x.T) / norm(w * x.T))
        matrix.append(norm(w - near) / total)
    clean = [value if value > EPS * seen[0] else mp.mpf(0) for value in seen]
    return s, plain, (clean + [mp.mpf(0)] * k)[:k], outputs, matrix


def case(name, w, x):
    s, plain, seen, outputs, matrix = errors(mp.matrix(w), mp.matrix(x))
    number = lambda values: [float(value) if value > EPS else 0 for value in values]
    return {
        'name': name,
        'shape': [len(w), len(w[0])],
        'matrix': [value for row in w for value in row],
        'samples': len(x),
        'activations': [value for row in x for value in row],
        's': number(s),
        'errors': number(plain),
        'outputs': number(seen),
        'outputErrors': number(outputs),
        'matrixErrors': number(matrix),
    }


def main():
    draw = random.Random(7)
    hadamard = [[(-1) ** bin(i & j).count('1') * 3 for j in range(8)] for i in range(8)]
    few = eighths(3, 6, draw)
    mixed = [[sum((i * k + k + i) % 5 * few[k][j] for k in range(3)) for j in range(6)] for i in range(14)]
    cases = [
        case('more samples than columns, of many sizes', eighths(6, 5, draw), eighths(9, 5, draw, lambda i, j: 3 ** j)),
        case('wide, more samples', eighths(4, 7, draw), eighths(11, 7, draw, lambda i, j: 1 + 9 * (j % 2))),
        case('fewer samples than columns', eighths(5, 8, draw), eighths(3, 8, draw)),
        case('many samples of rank 3', eighths(7, 6, draw), mixed),
        case('inputs alike in all directions', eighths(5, 8, draw), hadamard),
        case('one sample', eighths(4, 4, draw), eighths(1, 4, draw)),
        case('a matrix of rank 2', [[(i + 1) * (j - 2) + (i % 2) * j for j in range(5)] for i in range(6)], eighths(8, 5, draw)),
    ]
    path = Path(__file__).with_name('lowRank.json')
    path.write_text(json.dumps({'cases': cases}, separators=(',', ':')) + '\n')


main()
