"""Geometry beside the matrix products that it cannot do without, and beside other libraries.

One thread, float32, d = 768. A limit is the time of numpy's matrix product for the numbers that
the definition needs; of a symmetric set of pairs it counts each pair once. All runs of a case take
turns in one process, and its processor time is taken; extra memory is the rise of the peak of a
fresh process.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks import command, peers
from benchmarks.measure import Case, Data, added_mib, make_data, rows_of
from crlib import metrics
from crlib.settings import BUILD, ROOT

# (K, d, k) of each set of rows: full size, and a quick one for the tests.
SIZES = {
    False: {"full": (16_384, 768, 1000), "part": (4096, 768, 250), "million": (10**6, 768, 1000)},
    True: {"full": (1500, 32, 100), "part": (700, 32, 50), "million": (5000, 32, 100)},
}
# How often a fast run is timed. At K = 1M nothing that is compared is fast: once is enough.
ROUNDS = {"full": 5, "part": 3, "million": 1}
BLOCK = 4096

# --- limits ------------------------------------------------------------------------------------


def limit_subset(data: Data) -> None:
    """K x k products, in blocks into one buffer."""
    members = np.ascontiguousarray(data.rows[data.subset].T)
    out = np.empty((BLOCK, members.shape[1]), np.float32)
    for start in range(0, data.rows.shape[0], BLOCK):
        block = data.rows[start : start + BLOCK]
        np.matmul(block, members, out=out[: block.shape[0]])


def limit_all(data: Data) -> None:
    """K x K products."""
    out = np.empty(BLOCK * BLOCK, np.float32)
    for i in range(0, data.rows.shape[0], BLOCK):
        for j in range(0, data.rows.shape[0], BLOCK):
            _tile(data.rows[i : i + BLOCK], data.rows[j : j + BLOCK], out)


def limit_pairs(data: Data) -> None:
    """Products of the K (K - 1) / 2 pairs, in tiles of the upper triangle."""
    side = BLOCK // 2
    out = np.empty(side * side, np.float32)
    for i in range(0, data.rows.shape[0], side):
        for j in range(i, data.rows.shape[0], side):
            _tile(data.rows[i : i + side], data.rows[j : j + side], out)


def limit_covariance(data: Data) -> None:
    """Products of d x d columns over K rows, as a general product (no use of symmetry)."""
    out = np.empty((data.rows.shape[1],) * 2, np.float32)
    for start in range(0, data.rows.shape[0], BLOCK):
        block = data.rows[start : start + BLOCK]
        np.matmul(block.T, block.copy(), out=out)


def limit_gather(data: Data) -> None:
    """Read the two rows of each sampled pair once."""
    for numbers in np.random.default_rng(0).integers(0, data.rows.shape[0], (100, BLOCK)):
        data.rows[numbers]


def _tile(left: np.ndarray, right: np.ndarray, out: np.ndarray) -> None:
    shape = left.shape[0], right.shape[0]
    np.matmul(left, right.T, out=out[: shape[0] * shape[1]].reshape(shape))


# --- crlib -------------------------------------------------------------------------------------


def nearest(data: Data) -> float:
    return float(metrics.nearest_distance(data.rows, data.subset).mean())


def expected(data: Data) -> float:
    return float(np.mean(metrics.coverage(data.rows, data.subset.size)))


def uniformity(data: Data) -> float:
    return metrics.uniformity(data.rows)


def uniformity_of_sample(data: Data) -> float:
    return metrics.uniformity_sampled(data.rows, rng=0).value


def dimension(data: Data) -> float:
    return metrics.participation_ratio(data.rows)


def dimension_naive(data: Data) -> float:
    return metrics.participation_ratio(data.rows, unbiased=False)


def cases(kind: str, n: int, d: int, k: int) -> list[Case]:
    """Return the cases of one set of rows."""
    size = f"K = {n:,}, d = {d}"
    subset = Case(
        f"coverage by a given subset, k = {k}, {size}",
        "K x k x d product",
        {
            "limit": limit_subset,
            "crlib": nearest,
            "faiss": peers.nearest_faiss,
            "torch.cdist": peers.nearest_torch,
            "scikit-learn": peers.nearest_sklearn,
            "scipy": peers.nearest_scipy,
        },
        goal=1.1,
    )
    exact = Case(
        f"coverage, exact expectation, k = {k}, {size}",
        "K x K x d product",
        {
            "limit": limit_all,
            "crlib": expected,
            "faiss": peers.expected_faiss,
            "torch.cdist": peers.expected_torch,
            "scikit-learn": peers.expected_sklearn,
        },
        goal=1.1,
        tolerance=5e-3,  # a float32 distance of a row to itself is up to 1e-3, not 0, in peers
    )
    pairs = Case(
        f"uniformity, all pairs, {size}",
        "products of all pairs, each once",
        {"limit": limit_pairs, "crlib": uniformity, "torch.pdist": peers.uniformity_torch},
        goal=1.3,
    )
    # Peers compute the naive estimate; at these sizes the unbiased one is within the tolerance.
    covariance = Case(
        f"effective dimension, {size}",
        "d x K x d product",
        {
            "limit": limit_covariance,
            "crlib": dimension,
            "crlib, naive": dimension_naive,
            "numpy": peers.dimension_numpy,
            "torch": peers.dimension_torch,
            "scikit-learn": peers.dimension_sklearn,
        },
        goal=0.7,
        tolerance=1.0,
    )
    if kind == "full":
        return [subset, exact, pairs, covariance]
    if kind == "part":  # for the libraries that are too slow at full size; no goal is set here
        exact = replace(exact, goal=None, runs={**exact.runs, "scipy": peers.expected_scipy})
        slow = {"scikit-learn": peers.uniformity_sklearn, "scipy": peers.uniformity_scipy}
        return [exact, replace(pairs, goal=None, runs={**pairs.runs, **slow})]
    long = "would double the length of the whole run; see the smaller set"
    table = "the table of all distances would take terabytes"
    return [
        _without(subset, {"scikit-learn": long, "scipy": "needs 14 GB: a float64 copy and table"}),
        Case(
            f"uniformity, 200,000 sampled pairs, {size}",
            "reading the rows",
            {"limit": limit_gather, "crlib": uniformity_of_sample},
            skipped={"torch.pdist": table, "scipy": table},
        ),
        _without(covariance, {"scikit-learn": long, "numpy": "needs 12 GB: float64 copies"}),
    ]


def _without(case: Case, skipped: dict[str, str]) -> Case:
    runs = {name: run for name, run in case.runs.items() if name not in skipped}
    return replace(case, runs=runs, skipped=skipped)


def memory_in_fresh_process(kind: str, number: int, peer: str, *, quick: bool) -> float | None:
    """Return the extra memory of one run, in MiB."""
    call = [sys.executable, "-m", "benchmarks.geometry", "--memory", kind, str(number), peer]
    done = subprocess.run(
        call + ["--quick"] * quick, cwd=ROOT, check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


def _weighed(kind: str, number: int, peer: str, *, quick: bool) -> bool:
    """Say whether a run's memory is measured: at full size (crlib and fast peers)."""
    if kind != "full" or peer == "limit":
        return False
    slow = number in (1, 2) and not peer.startswith("crlib")
    return not slow and (not quick or (number == 0 and peer == "crlib"))


def print_memory(kind: str, number: int, peer: str, *, quick: bool) -> None:
    """Measure the extra memory of one run in this process and print it as JSON."""
    size = SIZES[quick][kind]
    case = cases(kind, *size)[number]
    data, small = make_data(*size), make_data(512, size[1], 40)
    print(json.dumps(added_mib(case.runs[peer], data, small)))


def main(*, quick: bool = False) -> dict[str, Any]:
    """Run the benchmark and write build/bench/geometry.json."""
    rows: list[dict[str, Any]] = []
    for kind, size in SIZES[quick].items():
        data = make_data(*size)
        for number, case in enumerate(cases(kind, *size)):
            extra = {
                peer: memory_in_fresh_process(kind, number, peer, quick=quick)
                for peer in case.runs
                if _weighed(kind, number, peer, quick=quick)
            }
            rows += rows_of(case, data, ROUNDS[kind], extra)
            command.print_rows(rows[-len(case.runs) - len(case.skipped) :])
        del data
    return command.keep(BUILD / "bench", "geometry", rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, for the tests")
    parser.add_argument(
        "--memory", nargs=3, metavar=("KIND", "CASE", "PEER"), help="one run's memory, as JSON"
    )
    arguments = parser.parse_args()
    if arguments.memory:
        kind, number, peer = arguments.memory
        print_memory(kind, int(number), peer, quick=arguments.quick)
    else:
        main(quick=arguments.quick)
