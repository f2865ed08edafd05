"""Least and median ms of scikit-learn's randomized_svd, and its excess error, one thread; argv: .npy file or '', rank, rounds, spectra of 6000 x 768."""
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
import json
import sys
import time

import numpy as np
import sklearn
from sklearn.utils.extmath import randomized_svd

path, rank, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


def measured(a, optimum):
    times = []
    for turn in range(rounds + 1):
        start = time.perf_counter()
        u, s, vt = randomized_svd(a, rank, random_state=0)
        if turn > 0:
            times.append(1e3 * (time.perf_counter() - start))
    error = np.linalg.norm(a - (u.astype(np.float64) * s) @ vt)
    return {"least": min(times), "median": sorted(times)[len(times) // 2], "excess": error / optimum - 1}


results = {"sklearn": sklearn.__version__, "numpy": np.__version__}
if path:
    a = np.load(path)
    values = np.linalg.eigvalsh(a.T.astype(np.float64) @ a.astype(np.float64))[::-1]
    results["glosses"] = measured(a, np.sqrt(values[rank:].sum()))
random = np.random.default_rng(1)
m, n = 6000, 768
u = np.linalg.qr(random.standard_normal((m, n)))[0]
v = np.linalg.qr(random.standard_normal((n, n)))[0]
j = np.arange(1, n + 1)
for name, sigma in (("1 / j", 1 / j), ("1 / sqrt(j)", 1 / np.sqrt(j))):
    results[name] = measured(((u * sigma) @ v.T).astype(np.float32), np.linalg.norm(sigma[rank:]))
print(json.dumps(results))
