"""Bandit agents over large action sets, and what they are made of."""
