"""Explorers for Jupyter and Voila: geometry, regret, and tools for a query of your own."""
