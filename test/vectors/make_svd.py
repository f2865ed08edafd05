"""Writes svd.json: graded matrices and their singular values, each right to the last bit of an f64.

Run with Python 3, NumPy, SciPy and mpmath (1.24, 1.10 and 1.2 were used): python3 make_svd.py

Singular values come from mpmath with 400 digits; their product is checked against |det|, the sum of their squares against A's.
Only m >= n is written, and no order but the natural: a transpose and an exchange of rows or columns change no singular value, the
tests make them. `input` and `singularValues` are little-endian f64 in base64, row-major and descending.

`condition` is the greatest relative change of a singular value, in units of e, when A = D1 C D2 becomes D1 (C + E) D2 with
|E| <= e |C| in the 2-norm: with A v = s u it is, to first order, |u' D1 E D2 v| / s <= e |C| |D1 u| |D2 v| / s. It is small where
D1 C D2 determines its small singular values, whatever the condition of A (J. Demmel et al., Linear Algebra Appl. 299, 1999). What
LAPACK's dgejsv makes of each, its rows pivoted, is printed beside it.
"""

import base64
import json
from pathlib import Path

import mpmath as mp
import numpy as np
from scipy.linalg.lapack import dgejsv

ULP = 2.0**-52
random = np.random.RandomState(20)
cases = []


def encode(values):
    return base64.b64encode(np.asarray(values, dtype='<f8').tobytes()).decode()


def matrix(a):
    return mp.matrix([[mp.mpf(float(x)) for x in row] for row in a])


def norm(vector):
    return mp.sqrt(sum(x * x for x in vector))


def write(name, kind, d1, c, d2, a):
    """a: the matrix, doubles; d1, d2: its scales, c: what they scale."""
    m, n = a.shape
    assert m >= n and np.all(np.isfinite(a)) and np.all(np.abs(a[a != 0]) > 1e-290)
    mp.mp.dps = 400
    exact = matrix(a)
    u, s, vt = mp.svd_r(exact)
    s = list(s)
    order = sorted(range(n), key=lambda k: -s[k])
    assert abs(sum(x * x for x in s) / sum(x * x for x in exact) - 1) < mp.mpf(10)**-300
    if m == n:
        assert abs(mp.fprod(s) / abs(mp.det(exact)) - 1) < mp.mpf(10)**-100
    values = np.array([float(s[k]) for k in order])

    scaled = mp.svd_r(matrix(c), compute_uv=False)[0]
    condition = max(
        scaled * norm([float(d1[i]) * u[i, k] for i in range(m)])
        * norm([float(d2[j]) * vt[k, j] for j in range(n)]) / s[k] for k in range(n))

    work = dgejsv(a, joba=2, jobu=0, jobv=0)
    lapack = np.sort(work[0] * (work[3][0] / work[3][1]))[::-1]
    error = np.max(np.abs(lapack / values - 1))
    print(f'{name:58} {m:3}x{n:<3} condition {float(condition):8.1e}  dgejsv {error:.1e} = {error / (100 * m * ULP):.4f} of the gate')
    cases.append({
        'name': f'{name}, {m}x{n}', 'kind': kind, 'm': m, 'n': n, 'condition': float(f'{float(condition):.3g}'),
        'input': encode(a), 'singularValues': encode(values)
    })


def plain(m, n, least=0.1):
    """Singular values from 1 down to `least`, any directions."""
    q, _ = np.linalg.qr(random.standard_normal((m, n)))
    p, _ = np.linalg.qr(random.standard_normal((n, n)))
    return q * np.linspace(1, least, n) @ p.T


def scales(n, condition):
    return condition ** (-np.arange(n) / (n - 1))


def product(name, kind, d1, c, d2):
    write(name, kind, d1, c, d2, d1[:, None] * c * d2)


for m, n, condition in [(5, 5, 1e12), (12, 7, 1e20), (24, 24, 1e40), (32, 16, 1e80), (24, 24, 1e80), (40, 40, 1e40)]:
    product(f'columns scaled to {condition:.0e}', 'columns', np.ones(m), plain(m, n), scales(n, condition))
steps = 10.0 ** (-30 * (np.arange(24) // 8))
product('columns scaled in three steps of 1e-30', 'columns', np.ones(24), plain(24, 24), steps)
product('normal numbers, columns scaled to 1e40', 'columns', np.ones(24), random.standard_normal((24, 24)), scales(24, 1e40))

for m, n, condition in [(6, 6, 1e12), (13, 9, 1e20), (24, 24, 1e40), (32, 16, 1e40), (24, 24, 1e80)]:
    product(f'rows scaled to {condition:.0e}', 'rows', scales(m, condition), plain(m, n), np.ones(n))
product('rows scaled in three steps of 1e-30', 'rows', steps, plain(24, 24), np.ones(24))

for m, n, condition in [(11, 11, 1e6), (24, 24, 1e14), (24, 24, 1e20), (24, 24, 1e40), (32, 16, 1e14), (40, 40, 1e14)]:
    product(f'rows and columns scaled to {condition:.0e}', 'both', scales(m, condition), plain(m, n), scales(n, condition))
product('rows scaled down to 1e-14 and columns up to 1e14', 'both', scales(24, 1e14), plain(24, 24), scales(24, 1e-14))
product('rows and columns scaled at random in 1e+-14', 'both', 10 ** random.uniform(-14, 14, 24), plain(24, 24),
        10 ** random.uniform(-14, 14, 24))
product('normal numbers, rows and columns scaled to 1e14', 'both', scales(24, 1e14), random.standard_normal((24, 24)),
        scales(24, 1e14))

# W. Kahan's triangle: its least singular value is far below its least pivot.
for n in (6, 12, 24, 40):
    c = np.eye(n) - float(mp.cos(1.2)) * np.triu(np.ones((n, n)), 1)
    product('Kahan(1.2)', 'kahan', float(mp.sin(1.2)) ** np.arange(n), c, np.ones(n))

# P. Lauchli's: a row of ones above mu times the identity, whose Gram matrix is singular in f64 from mu = 1e-8 on.
for n, mu in [(3, 1e-9), (8, 1e-9), (23, 1e-9), (8, 1e-5), (8, 1e-15), (8, 1e-60)]:
    c = np.vstack([np.ones((1, n)), np.eye(n)])
    product(f'Lauchli({mu:.0e})', 'lauchli', np.concatenate([[1.0], np.full(n, mu)]), c, np.ones(n))

lines = ',\n'.join(json.dumps(case) for case in cases)
(Path(__file__).parent / 'svd.json').write_text(f'[\n{lines}\n]\n')
