"""Twins: small encoders that share tokenizer, text, architecture and start, not the objective.

Whatever differs between two of them afterwards comes from the objective and its recipe. They
demonstrate a mechanism; they are no evidence about the large models whose objectives they borrow.
"""
