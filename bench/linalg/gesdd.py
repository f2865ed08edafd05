"""Medians in ms of numpy.linalg.svd (LAPACK gesdd, f64, one thread) for the shapes of argv, interleaved; one JSON object on stdout."""
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
import json
import sys
import time

import numpy as np

shapes = json.loads(sys.argv[1])
rounds = int(sys.argv[2])
matrices = [np.random.default_rng(m + n).standard_normal((m, n)) for m, n in shapes]
times = [[] for _ in shapes]
for turn in range(rounds + 2):
    for matrix, kept in zip(matrices, times):
        start = time.perf_counter()
        np.linalg.svd(matrix, full_matrices=False)
        if turn > 1:
            kept.append(1e3 * (time.perf_counter() - start))
print(json.dumps({"numpy": np.__version__, "ms": [sorted(kept)[len(kept) // 2] for kept in times]}))
