"""The same four quantities from other libraries, as their documentation suggests to get them."""

import faiss
import numpy as np
import torch
from scipy.spatial.distance import cdist, pdist
from sklearn.decomposition import PCA
from sklearn.metrics import pairwise_distances, pairwise_distances_argmin_min
from sklearn.neighbors import NearestNeighbors

from benchmarks.measure import Data
from crlib.metrics.coverage import truncated_weights

faiss.omp_set_num_threads(1)
torch.set_num_threads(1)

# Rows of a block where a library's own call would hold all distances at once.
BLOCK = 1024

# --- nearest member of a given subset: mean distance -------------------------------------------


def nearest_faiss(data: Data) -> float:
    index = faiss.IndexFlatL2(data.rows.shape[1])
    index.add(data.rows[data.subset])
    return float(np.sqrt(np.maximum(index.search(data.rows, 1)[0], 0)).mean())


def nearest_torch(data: Data) -> float:
    members = torch.from_numpy(data.rows[data.subset])
    blocks = torch.from_numpy(data.rows).split(4 * BLOCK)
    return float(torch.cat([torch.cdist(b, members).amin(dim=1) for b in blocks]).mean())


def nearest_sklearn(data: Data) -> float:
    members = data.rows[data.subset]
    return float(pairwise_distances_argmin_min(data.rows, members)[1].mean())


def nearest_scipy(data: Data) -> float:
    return float(cdist(data.rows, data.rows[data.subset]).min(axis=1).mean())


# --- exact expected distance to the nearest of a random k-subset -------------------------------


def _weights(data: Data) -> np.ndarray:
    n, sizes = data.rows.shape[0], np.array([data.subset.size])
    return truncated_weights(n, sizes, replace=False, leave_out=False)[0]


def expected_faiss(data: Data) -> float:
    weights = _weights(data)
    index = faiss.IndexFlatL2(data.rows.shape[1])
    index.add(data.rows)
    squared = index.search(data.rows, weights.size)[0]
    return float((np.sqrt(np.maximum(squared, 0)) @ weights).mean())


def expected_torch(data: Data) -> float:
    weights = torch.from_numpy(_weights(data)).float()
    rows = torch.from_numpy(data.rows)
    parts = []
    for block in rows.split(BLOCK):
        near = torch.cdist(block, rows).topk(weights.numel(), dim=1, largest=False, sorted=True)
        parts.append(near.values @ weights)
    return float(torch.cat(parts).mean())


def expected_sklearn(data: Data) -> float:
    weights = _weights(data)
    search = NearestNeighbors(n_neighbors=weights.size, algorithm="brute").fit(data.rows)
    return float((search.kneighbors(data.rows)[0] @ weights).mean())


def expected_scipy(data: Data) -> float:
    weights = _weights(data)
    parts = []
    for start in range(0, data.rows.shape[0], BLOCK):
        distances = cdist(data.rows[start : start + BLOCK], data.rows)
        near = np.sort(np.partition(distances, weights.size - 1, axis=1)[:, : weights.size], axis=1)
        parts.append(near @ weights)
    return float(np.concatenate(parts).mean())


# --- uniformity over all pairs -----------------------------------------------------------------


def uniformity_torch(data: Data) -> float:
    return float(torch.pdist(torch.from_numpy(data.rows)).pow(2).mul(-2).exp().mean().log())


def uniformity_sklearn(data: Data) -> float:
    squared = pairwise_distances(data.rows, metric="sqeuclidean")
    n = squared.shape[0]
    return float(np.log((np.exp(-2 * squared).sum(dtype=np.float64) - n) / (n * (n - 1))))


def uniformity_scipy(data: Data) -> float:
    return float(np.log(np.exp(-2 * pdist(data.rows, "sqeuclidean")).mean()))


# --- effective dimension (naive, from the eigenvalues of the covariance) -----------------------


def _ratio(eigenvalues: np.ndarray) -> float:
    return float(eigenvalues.sum() ** 2 / np.sum(eigenvalues**2))


def dimension_numpy(data: Data) -> float:
    return _ratio(np.linalg.eigvalsh(np.cov(data.rows, rowvar=False)))


def dimension_torch(data: Data) -> float:
    return _ratio(torch.linalg.eigvalsh(torch.cov(torch.from_numpy(data.rows).T)).numpy())


def dimension_sklearn(data: Data) -> float:
    return _ratio(PCA(svd_solver="covariance_eigh").fit(data.rows).explained_variance_)
