"""Writes matmul.json: which shapes numpy.matmul multiplies, what comes of whole numbers, and products right to the last bit.

Run with Python 3 and NumPy (1.24 was used): python3 make_matmul.py

`whole`: element i of the left operand is (7 i + 3) mod 11 - 5, of the right one (5 i + 1) mod 13 - 6, so that every sum is exact.
`refused`: pairs of shapes that have no product. `rounded`: doubles that cancel, and their product in fractions, rounded once;
left, right and product are little-endian f64 in base64, row-major.
"""

import base64
import json
from fractions import Fraction
from pathlib import Path

import numpy as np

PAIRS = [
    ([2, 3], [3, 4]), ([1, 1], [1, 1]), ([1, 7], [7, 1]), ([7, 1], [1, 7]), ([5, 5], [5, 5]),
    ([3, 2, 4], [3, 4, 5]), ([2, 3, 2, 4], [2, 3, 4, 3]), ([2, 4], [3, 4, 5]), ([3, 2, 4], [4, 5]),
    ([1, 2, 4], [3, 4, 5]), ([3, 2, 4], [1, 4, 5]), ([2, 1, 2, 3], [1, 4, 3, 2]), ([4, 2, 3], [2, 1, 3, 2]),
    ([2, 3], [2, 1, 3, 3, 2]), ([1, 1, 2, 3], [3, 2]),
    ([0, 3], [3, 4]), ([2, 0], [0, 4]), ([2, 3], [3, 0]), ([0, 0], [0, 0]), ([0, 2, 3], [0, 3, 4]), ([0, 2, 3], [1, 3, 4]),
    ([2, 3], [0, 3, 4]), ([3, 2, 0], [3, 0, 4]), ([2, 1, 2, 3], [0, 3, 2]),
]
REFUSED = [
    ([2, 3], [4, 3]), ([2, 3], [2, 3]), ([2, 0], [1, 4]), ([3, 2, 4], [2, 4, 5]), ([3, 2, 4], [3, 5, 4]),
    ([2, 3, 2, 4], [4, 3, 4, 2]), ([0, 2, 3], [2, 3, 4]), ([2, 3, 2, 4], [2, 4, 2]),
]


def whole(shape, factor, offset, modulus):
    size = int(np.prod(shape))
    return ((np.arange(size) * factor + offset) % modulus - modulus // 2).astype(np.float64).reshape(shape)


def left(shape):
    return whole(shape, 7, 3, 11)


def right(shape):
    return whole(shape, 5, 1, 13)


def encode(values):
    return base64.b64encode(np.asarray(values, dtype='<f8').tobytes()).decode()


exact = []
for a, b in PAIRS:
    product = np.matmul(left(a), right(b))
    exact.append({'left': a, 'right': b, 'shape': list(product.shape), 'data': [int(x) for x in product.ravel()]})
for a, b in REFUSED:
    try:
        np.matmul(left(a), right(b))
    except ValueError:
        continue
    raise AssertionError((a, b))

rounded = []
random = np.random.RandomState(4)
for m, k, n, spread in [(3, 5, 4, 0), (4, 33, 3, 5), (2, 64, 5, 12), (5, 7, 5, 100)]:
    x = random.standard_normal((m, k)) * 10 ** random.uniform(-spread, spread, (m, k))
    y = random.standard_normal((k, n)) * 10 ** random.uniform(-spread, spread, (k, n))
    # Half of the terms come again with the other sign, so that most of the sum cancels.
    half = k // 2
    x[:, half:2 * half] = x[:, :half]
    y[half:2 * half] = -y[:half] * (1 + 2.0**-30 * random.standard_normal((half, n)))
    z = [[float(sum(Fraction(x[i, t]) * Fraction(y[t, j]) for t in range(k))) for j in range(n)] for i in range(m)]
    rounded.append({'m': m, 'k': k, 'n': n, 'left': encode(x), 'right': encode(y), 'product': encode(z)})

lines = {
    'whole': exact,
    'refused': [{'left': a, 'right': b} for a, b in REFUSED],
    'rounded': rounded
}
text = ',\n'.join(f'"{name}": [\n' + ',\n'.join(json.dumps(case) for case in cases) + '\n]' for name, cases in lines.items())
(Path(__file__).parent / 'matmul.json').write_text('{\n' + text + '\n}\n')
