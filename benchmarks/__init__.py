"""Speed beside limits and peers, on one thread: ``python -m benchmarks.run``."""

import os

# Before NumPy or torch is loaded: their thread pools are sized once.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
