"""Encoders from a model hub or a local folder: what each is, and how it is really loaded."""

from crlib.extractors.hub.specs import HUB_MODELS, PAPER_PAIRS, HubSpec, hub_spec

__all__ = ["HUB_MODELS", "PAPER_PAIRS", "HubSpec", "hub_spec"]
