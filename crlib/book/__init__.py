"""The book's machinery: what to run (`plan`), running it (`run`, `steps`), showing it (`stage`).

`make book` calls :mod:`crlib.book.make`, which calls Snakemake; its rules (Snakefile) call the
commands of :mod:`crlib.book.steps`.
"""
