"""Writes gram.json: second moments and principal components of generated tables, in long double (x87, 64 bits) and mpmath.

Run with Python 3, NumPy (1.24 was used) and mpmath (1.2), on x86-64: python3 make_gram.py

The tables are not stored: both sides make them from the same integers (`table`, and tableOf in test/support/tables.ts).
"""

import json
from pathlib import Path

import mpmath as mp
import numpy as np

mp.mp.dps = 60
assert np.finfo(np.longdouble).nmant == 63


def uniform(length, seed):
    """Seeded numbers in [-1, 1) of 24 bits, exact in f32."""
    out = np.empty(length)
    state = seed
    for i in range(length):
        state = (state * 1664525 + 1013904223) % 2**32
        out[i] = (state >> 8) / 8388608 - 1
    return out


def table(case):
    """Column j is offset + 2^(-grade j) (x_j + x_{j - 1} / 2), in f64, each step rounded as JavaScript rounds it."""
    rows, dim = case['rows'], case['dim']
    x = uniform(rows * dim, case['seed']).reshape(rows, dim)
    before = np.concatenate([np.zeros((rows, 1)), x[:, :-1]], 1)
    y = (x + before / 2) * 2.0 ** (-case['grade'] * np.arange(dim)) + case['offset']
    return y.astype(np.float32).astype(np.float64) if case['single'] else y


def lower(matrix):
    return [float(matrix[i, j]) for i in range(len(matrix)) for j in range(i + 1)]


def components(y, center):
    """Singular values and right singular vectors, signs by the greatest entry: of the exact Gram matrix by mpmath."""
    rows, dim = y.shape
    columns = [[mp.mpf(v) for v in y[:, j]] for j in range(dim)]
    if center:
        means = [mp.fsum(c) / rows for c in columns]
        columns = [[v - m for v in c] for c, m in zip(columns, means)]
    gram = mp.matrix(dim, dim)
    for i in range(dim):
        for j in range(i + 1):
            gram[i, j] = gram[j, i] = mp.fdot(columns[i], columns[j])
    values, vectors = mp.eigsy(gram)
    order = sorted(range(dim), key=lambda k: -values[k])
    s, v = [], []
    for k in order:
        column = [vectors[i, k] for i in range(dim)]
        top = max(column, key=abs)
        s.append(float(mp.sqrt(max(values[k], 0))))
        v.append([float(c / mp.sign(top)) for c in column])
    return s, v


def golden(case):
    y = table(case)
    # Sums of long doubles, pairwise: 2^-64 against the 2^-53 that is tested.
    wide = y.astype(np.longdouble)
    mean = wide.mean(0)
    centred = wide - mean
    out = dict(case)
    out['ends'] = [y[0, 0], y[-1, -1]]
    out['mean'] = [float(m) for m in mean]
    out['gram'] = lower(wide.T @ wide)
    out['scatter'] = lower(centred.T @ centred)
    if case['rows'] <= 1500:
        for name, center in [('pca', False), ('centredPca', True)]:
            s, v = components(y, center)
            out[name] = {'s': s, 'v': v}
    return out


CASES = [
    dict(rows=1, dim=3, seed=1, grade=0, offset=0, single=True),
    dict(rows=3, dim=5, seed=2, grade=0, offset=0, single=True),
    dict(rows=700, dim=1, seed=3, grade=0, offset=0.5, single=True),
    dict(rows=1024, dim=4, seed=4, grade=0, offset=0, single=True),
    dict(rows=1100, dim=9, seed=5, grade=1, offset=0.25, single=True),
    dict(rows=1300, dim=6, seed=6, grade=0, offset=0, single=False),
    dict(rows=1500, dim=7, seed=7, grade=4, offset=0, single=False),
    # The mean is a million times the deviation.
    dict(rows=1500, dim=4, seed=8, grade=0, offset=1e6, single=False),
    dict(rows=5000, dim=13, seed=9, grade=0, offset=1e6, single=False),
    dict(rows=20000, dim=3, seed=10, grade=0, offset=-1e6, single=False),
    dict(rows=5000, dim=13, seed=11, grade=0, offset=0, single=True),
]


def main():
    lines = [json.dumps(golden(case)) for case in CASES]
    source = f'NumPy {np.__version__}, long double; mpmath {mp.__version__}'
    text = f'{{"source": {json.dumps(source)},\n"cases": [\n' + ',\n'.join(lines) + '\n]}\n'
    json.loads(text)
    (Path(__file__).parent / 'gram.json').write_text(text)


if __name__ == '__main__':
    main()
