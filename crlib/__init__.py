"""crlib: the executable appendix of "Contrastive RL for Massive Action Spaces".

The way of the data, one direction: actions (:mod:`crlib.data`) -> embeddings
(:mod:`crlib.extractors`) -> geometry (:mod:`crlib.metrics`) -> verdicts (:mod:`crlib.claims`)
-> the book.
"""

__version__ = "0.1.0"
