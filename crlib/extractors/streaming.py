"""Standardisation of rows that do not fit memory: two passes, and a .npy file as the result."""

import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crlib.extractors.moments import BLOCK_ROWS, blocks_of, checked_blocks, gather_moments
from crlib.extractors.standardise import Standard, apply_standard, fit_standard
from crlib.io import atomic_path


def standardise_file(
    source: NDArray | Callable[[], Iterable[ArrayLike]],
    path: str | Path,
    *,
    pca: int | None = None,
    whiten: bool = False,
    block_rows: int = BLOCK_ROWS,
) -> NDArray[np.floating]:
    """Do what `standardise` does, a block at a time, from and to disk.

    Parameters
    ----------
    source : (n, d) array, or function that returns an iterable of (b, d) array_like
        An array is usually a memory map, `np.load("x.npy", mmap_mode="r")`. A function is called
        twice, once for the moments and once for the result, and must give the same rows each
        time; blocks may differ in length.
    path : str or Path
        The .npy file to be written, wholly or not at all.
    pca, whiten
        As in `standardise`, exact solver.
    block_rows : int
        Rows of an array that are in memory at a time, at least 1. Memory taken: about
        8 (3 block_rows d + 5 d^2) bytes, whatever n is.

    Returns
    -------
    (n, d) or (n, m) read-only memory map of the file
        Equal to `standardise(X, ...)` up to the order of summation.

    Raises
    ------
    ValueError
        As `standardise`, and for an iterator in place of a function, block_rows < 1, and a
        second pass that does not give as many rows as the first.
    OSError
        When the disk is full; no partial file stays behind.
    """
    if block_rows < 1:
        raise ValueError(f"block_rows = {block_rows}; expected at least 1")
    blocks = _starter(source, block_rows)
    moments = gather_moments(blocks(), covariance=pca is not None or whiten)
    standard = fit_standard(moments, pca=pca, whiten=whiten)
    _write(blocks, Path(path), standard, moments.count)
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _starter(
    source: NDArray | Callable[[], Iterable[ArrayLike]], block_rows: int
) -> Callable[[], Iterable[ArrayLike]]:
    if callable(source):
        return source
    if isinstance(source, Iterator):
        raise ValueError(
            f"source is a {type(source).__name__}, which can be read only once; pass a function "
            "that returns a new one each time"
        )
    rows = np.asanyarray(source)
    if rows.ndim != 2:
        raise ValueError(f"source has shape {rows.shape}; expected (n, d): one row per action")
    return lambda: blocks_of(rows, block_rows)


def _write(
    blocks: Callable[[], Iterable[ArrayLike]], path: Path, standard: Standard, count: int
) -> None:
    shape, done = (count, standard.width), 0
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": standard.dtype.str, "fortran_order": False, "shape": shape}
    )
    needed = f"{shape[0]} x {shape[1]} x {standard.dtype.itemsize} bytes"
    # Plain writes: on a full disk they raise, where a memory map would end the process (SIGBUS).
    with atomic_path(path) as temporary, temporary.open("wb", buffering=0) as file:
        _write_all(file, header.getbuffer(), f"{path} needs {needed}")
        for rows, _ in checked_blocks(blocks()):
            done += len(rows)
            content = np.ascontiguousarray(apply_standard(standard, rows)).data
            _write_all(file, content, f"{path} needs {needed}")
        if done != count:
            raise ValueError(
                f"source gave {count} rows at first and {done} the second time; pass a function "
                "that starts anew each time it is called"
            )


def _write_all(file: io.FileIO, content: memoryview, what: str) -> None:
    rest = content.cast("B")
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except OSError as error:
        raise OSError(
            error.errno,
            f"{what}: {error.strerror}. Free space there or choose another path",
        ) from error
