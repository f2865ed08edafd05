"""Writes solve.json: factorisations and solutions, right to the last bit of an f64 but for procrustes, which is SciPy's.

Run with Python 3, NumPy, SciPy and mpmath (1.24, 1.10 and 1.2 were used): python3 make_solve.py

Inputs are exact doubles. Cholesky factors, QR factors (their signs by a positive diagonal), triangular solutions and ridge weights come from mpmath
with 120 digits; the ridge weights from the normal equations, which so many digits can afford, with the intercept as a column that has no penalty.
Pivots are those of scipy.linalg.qr(pivoting=True). Procrustes is scipy.linalg.orthogonal_procrustes, with rotations by
scipy.spatial.transform.Rotation.align_vectors in three dimensions; scale and translation by their formulas on top.
"""

import json
from pathlib import Path

import mpmath as mp
import numpy as np
from scipy.linalg import orthogonal_procrustes, qr
from scipy.spatial.transform import Rotation

mp.mp.dps = 120
random = np.random.RandomState(7)


def exact(a):
    return mp.matrix([[mp.mpf(float(x)) for x in row] for row in np.atleast_2d(a)])


def rounded(a):
    return [float(x) for x in a]


def rows(a):
    return [float(x) for x in np.asarray(a, dtype=float).ravel()]


def cholesky(name, a):
    n = len(a)
    l = mp.cholesky(exact(a))
    assert all(abs((l * l.T - exact(a))[i, j]) < mp.mpf(10) ** -100 * abs(l[0, 0]) ** 2 for i in range(n) for j in range(n))
    return {'name': name, 'n': n, 'input': rows(a), 'l': rounded(l)}


def hilbert(m, n):
    return np.array([[1 / (i + j + 1) for j in range(n)] for i in range(m)])


def spd(n):
    x = random.standard_normal((2 * n, n))
    return (x.T @ x + (x.T @ x).T) / 2


def decompose(name, a):
    m, n = a.shape
    # Gram and Schmidt: with 120 digits nothing is lost.
    q, r = exact(a), mp.matrix(n, n)
    for j in range(n):
        for k in range(j):
            r[k, j] = sum(q[i, k] * q[i, j] for i in range(m))
            for i in range(m):
                q[i, j] -= r[k, j] * q[i, k]
        r[j, j] = mp.sqrt(sum(q[i, j] ** 2 for i in range(m)))
        for i in range(m):
            q[i, j] /= r[j, j]
    _, _, pivots = qr(a, mode='economic', pivoting=True)
    return {'name': name, 'm': m, 'n': n, 'input': rows(a), 'q': rounded(q), 'r': rounded(r), 'pivots': [int(i) for i in pivots]}


def triangular(name, t, b, upper, transpose):
    n, p = b.shape
    e = exact(np.triu(t) if upper else np.tril(t))
    x = mp.lu_solve(e.T if transpose else e, exact(b)) if p == 1 else None
    if p > 1:
        inverse = (e.T if transpose else e) ** -1
        x = inverse * exact(b)
    return {'name': name, 'n': n, 'p': p, 'upper': upper, 'transpose': transpose, 'triangle': rows(t), 'b': rows(b), 'x': rounded(x)}


def regression(name, x, y, penalty=0.0, intercept=True, weights=None):
    samples, n = x.shape
    p = y.shape[1]
    a = exact(np.hstack([x, np.ones((samples, 1))]) if intercept else x)
    scales = mp.diag([mp.mpf(float(w)) for w in (np.ones(samples) if weights is None else weights)])
    columns = n + intercept
    gram = a.T * scales * a
    for i in range(n):
        gram[i, i] += mp.mpf(float(penalty))
    solution = (gram ** -1) * (a.T * scales * exact(y))
    left = a * solution - exact(y)
    squares = lambda z: sum(scales[i, i] * z[i, j] ** 2 for i in range(samples) for j in range(p))
    case = {
        'name': name, 'samples': samples, 'n': n, 'p': p, 'x': rows(x), 'y': rows(y), 'lambda': penalty, 'intercept': intercept,
        'weights': rounded(solution[:n, :]), 'relativeError': float(mp.sqrt(squares(left) / squares(exact(y))))
    }
    if intercept:
        case['offset'] = rounded(solution[n, :])
    if weights is not None:
        case['sampleWeights'] = rows(weights)
    singular = mp.svd_r(gram, compute_uv=False)
    case['condition'] = float(mp.sqrt(singular[0] / singular[columns - 1]))
    return case


def rotation(name, a, b, scale=False, center=False, only=False):
    m, n = a.shape
    origin, target = (a.mean(0), b.mean(0)) if center else (np.zeros(n), np.zeros(n))
    x, y = a - origin, b - target
    if only:
        assert n == 3
        # Their rotations turn columns.
        r = Rotation.align_vectors(y, x)[0].as_matrix().T
        total = np.trace(r.T @ (x.T @ y))
    else:
        r, total = orthogonal_procrustes(x, y)
    factor = total / np.sum(x * x) if scale else 1.0
    shift = target - factor * origin @ r
    error = np.linalg.norm(factor * a @ r + shift - b) / np.linalg.norm(b)
    return {
        'name': name, 'm': m, 'n': n, 'a': rows(a), 'b': rows(b), 'options': {'scale': scale, 'center': center, 'rotationOnly': only},
        'rotation': rows(r), 'scale': float(factor), 'translation': rows(shift), 'relativeError': float(error)
    }


normal = random.standard_normal
turn = lambda n: np.linalg.qr(normal((n, n)))[0]


def regressions():
    x, y = normal((30, 5)), normal((30, 3))
    yield regression('plain', x, y)
    yield regression('no intercept', x, y, intercept=False)
    yield regression('lambda', x, y, 2.5)
    yield regression('lambda, no intercept', x, y, 0.01, False)
    yield regression('sample weights', x, y, 0.3, True, random.uniform(0, 3, 30))
    yield regression('some samples that do not count', x, y, 0, True, (np.arange(30) % 3 > 0) * 1.0)
    yield regression('fewer samples than columns', normal((6, 9)), normal((6, 2)), 0.5)
    yield regression('one sample', normal((1, 4)), normal((1, 2)), 1.0)
    yield regression('one column', normal((12, 1)), normal((12, 1)))
    yield regression('far from the origin', 1e6 + x, y - 1e3)
    yield regression('columns far apart in size', x * 10.0 ** (3 * np.arange(5) - 6), y)
    v = np.vander(np.linspace(0, 1, 25), 9)[:, :8]
    yield regression('powers of condition 1e7', v, np.sin(6 * np.linspace(0, 1, 25))[:, None])
    yield regression('powers, a small lambda', v, np.sin(6 * np.linspace(0, 1, 25))[:, None], 1e-9)
    h = hilbert(20, 8)
    yield regression('Hilbert', h, normal((20, 2)), 0, False)
    yield regression('Hilbert, exact', h, h @ np.ones((8, 1)), 0, False)
    near = normal((40, 4))
    near = np.hstack([near, near[:, :1] + 1e-9 * normal((40, 1))])
    yield regression('two columns 1e-9 apart', near, normal((40, 2)))
    yield regression('two columns 1e-9 apart, lambda', near, normal((40, 2)), 1e-3)


def rotations():
    a = normal((20, 3))
    r = turn(3)
    noise = 0.1 * normal((20, 3))
    yield rotation('exact', a, a @ r)
    yield rotation('noise', a, a @ r + noise)
    yield rotation('scale', a, 2.5 * a @ r + noise, scale=True)
    yield rotation('center', a + 3, a @ r + noise - 7, center=True)
    yield rotation('all', a + 3, 0.4 * a @ r + noise - 7, scale=True, center=True)
    mirror = r * np.array([1, 1, -np.linalg.det(r)])
    for only in (False, True):
        yield rotation(f'a reflection, rotationOnly {only}', a, a @ mirror + noise, only=only)
        yield rotation(f'a reflection of all, rotationOnly {only}', a + 1, 3 * a @ mirror + noise, True, True, only)
        yield rotation(f'a rotation, rotationOnly {only}', a, a @ -mirror + noise, only=only)
    for m, n in [(2, 2), (5, 5), (30, 8)]:
        b = normal((m, n))
        yield rotation(f'random {m}x{n}', normal((m, n)), b, scale=True, center=m > n)


cases = {
    'cholesky': [cholesky(f'random {n}', spd(n)) for n in (1, 2, 5, 9)] + [cholesky('Hilbert 7', hilbert(7, 7))],
    'qr': [decompose(f'random {m}x{n}', normal((m, n))) for m, n in [(1, 1), (2, 2), (5, 3), (9, 9), (14, 6)]]
    + [decompose('Hilbert 9x6', hilbert(9, 6))],
    'solveTriangular': [
        triangular(f'{n}x{p}, {"upper" if upper else "lower"}{", transposed" if transpose else ""}',
                   normal((n, n)) / n + 2 * np.eye(n), normal((n, p)), upper, transpose)
        for n, p in [(1, 1), (3, 1), (7, 2), (11, 5)] for upper in (False, True) for transpose in (False, True)
    ],
    'ridge': list(regressions()),
    'procrustes': list(rotations())
}

text = ',\n'.join(f'"{verb}": [\n' + ',\n'.join(json.dumps(case) for case in found) + '\n]' for verb, found in cases.items())
(Path(__file__).parent / 'solve.json').write_text('{\n' + text + '\n}\n')
for case in cases['ridge']:
    print(f"{case['name']:40} condition {case['condition']:.1e} error {case['relativeError']:.1e}")
