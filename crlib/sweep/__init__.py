"""Many runs of the notebooks: a grid of parameters (`grid`), its results in one table (`gather`).

`make sweep GRID=sweeps/NAME.yaml` calls :mod:`crlib.sweep.make`, which calls the same Snakefile as
the book, on this machine or on a cluster.
"""
