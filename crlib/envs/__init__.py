"""Environments: what agents are tried on."""
