"""Writes truncated.json: singular values by NumPy's SVD in f64 of matrices that test/support/random.ts makes from seeds.

Run with Python 3 and NumPy (1.24 was used): python3 make_truncated.py
"""

import json
from pathlib import Path

import numpy as np

MASK = 0xFFFFFFFF


def normals(length, seed):
    """normals64 of test/support/random.ts: mulberry32, twelve uniform numbers less six."""
    state = seed & MASK
    out = np.empty(length)
    for i in range(length):
        total = -6.0
        for _ in range(12):
            state = (state + 0x6D2B79F5) & MASK
            t = ((state ^ (state >> 15)) * (state | 1)) & MASK
            t = ((t + ((t ^ (t >> 7)) * (t | 61))) & MASK) ^ t
            total += ((t ^ (t >> 14)) & MASK) / 2**32
        out[i] = total
    return out


def case(m, n, seed, graded):
    a = normals(m * n, seed).reshape(m, n)
    if graded:
        a *= 2.0 ** -(np.arange(n) % 9) * 2.0 ** -(np.arange(m) % 5)[:, None]
    return {
        'm': m,
        'n': n,
        'seed': seed,
        'graded': graded,
        'corner': a[0, 0],
        'sum': float(np.abs(a).sum()),
        'singularValues': np.linalg.svd(a, compute_uv=False)[:48].tolist(),
        'norm': float(np.linalg.norm(a)),
    }


SHAPES = [(1, 300), (300, 1), (40, 30), (30, 40), (257, 33), (700, 50), (50, 700), (2000, 9), (9, 2000), (430, 330), (330, 430)]
cases = [case(m, n, 100 + i, graded) for i, (m, n) in enumerate(SHAPES) for graded in (False, True)]
Path(__file__).with_name('truncated.json').write_text(json.dumps({'cases': cases}) + '\n')
