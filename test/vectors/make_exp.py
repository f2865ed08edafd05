"""Coefficients of assembly/common/exp.ts: exp(r) = 1 + r + r^2 P(r), P of degree 7, |r| <= ln(2)/2.

Least squares on Chebyshev nodes in extended precision, weighted so that the relative error of exp is what is made small.
Prints the coefficients from r^2 upwards and the greatest relative error found with exact products.
"""

from fractions import Fraction
from math import factorial

import numpy as np

HALF = np.log(np.longdouble(2)) / 2
DEGREE = 7
NODES = 4000


def exact_exp(x: Fraction) -> Fraction:
    return sum((x**k / factorial(k) for k in range(30)), Fraction(0))


def main() -> None:
    k = np.arange(NODES, dtype=np.longdouble)
    r = HALF * np.cos((2 * k + 1) * np.pi / (2 * NODES))
    r = r[np.abs(r) > 1e-3]
    weight = r**2 / np.exp(r)
    target = (np.exp(r) - 1 - r) / r**2
    # Chebyshev basis keeps the normal equations well-conditioned; float64 is enough for a fit to 1e-15.
    basis = np.polynomial.chebyshev.chebvander((r / HALF).astype(float), DEGREE)
    scaled = basis * weight.astype(float)[:, None]
    fit, *_ = np.linalg.lstsq(scaled, (target * weight).astype(float), rcond=None)
    powers = np.polynomial.chebyshev.cheb2poly(fit) / float(HALF) ** np.arange(DEGREE + 1)
    for power, coefficient in enumerate(powers):
        print(f"r^{power + 2}: {coefficient!r}")
    worst = 0.0
    for x in np.linspace(-float(HALF), float(HALF), 2001):
        x = Fraction(float(x))
        value = 1 + x + x * x * sum(Fraction(float(c)) * x**i for i, c in enumerate(powers))
        worst = max(worst, abs(float(value / exact_exp(x) - 1)))
    print(f"greatest relative error {worst:.3g}")


main()
