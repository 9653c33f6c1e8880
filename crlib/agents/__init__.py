"""Agents that choose one of K actions, many replications at once."""
