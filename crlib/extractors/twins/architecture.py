"""The one architecture of the twins, its random start, and the head that is thrown away."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertConfig, BertModel

from crlib.extractors.twins.tokenizer import MAX_TOKENS, PAD, VOCABULARY


def twin_config(*, causal: bool = False, vocabulary: int = VOCABULARY) -> BertConfig:
    """Two layers, d = 128, four heads: 1.45M parameters, 1.05M of them wordpiece vectors.

    Dropout is 0.1 on hidden states (SimCSE's noise) and none on attention weights, for all twins:
    that lets torch's fused attention run, a quarter of a step's time.
    """
    return BertConfig(
        vocab_size=vocabulary,
        hidden_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=512,
        max_position_embeddings=MAX_TOKENS,
        type_vocab_size=1,
        pad_token_id=PAD,
        hidden_dropout_prob=0.1,
        attention_probs_dropout_prob=0.0,
        is_decoder=causal,
        use_cache=False,
    )


def new_encoder(*, seed: int, causal: bool = False, vocabulary: int = VOCABULARY) -> BertModel:
    """Give the random start of a seed: the same weights for every objective."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = BertModel(twin_config(vocabulary=vocabulary), add_pooling_layer=False)
    set_causal(model, causal)
    return model


def set_causal(model: BertModel, causal: bool) -> None:
    """Switch between causal and bidirectional attention; the weights are the same."""
    model.config.is_decoder = causal
    for layer in model.encoder.layer:
        layer.attention.self.is_causal = causal


def hidden_states(model: nn.Module, ids: Tensor, mask: Tensor) -> Tensor:
    """Last hidden states: (b, l) token numbers and mask -> (b, l, d)."""
    states: Tensor = model(input_ids=ids, attention_mask=mask).last_hidden_state
    return states


def layer_states(model: nn.Module, ids: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
    """All hidden states: the embeddings' first, then each layer's; (b, l, d) each."""
    states: tuple[Tensor, ...] = model(
        input_ids=ids, attention_mask=mask, output_hidden_states=True
    ).hidden_states
    return states


class PredictionHead(nn.Module):
    """BERT's prediction head: dense, GELU, layer norm, then the wordpiece vectors as the decoder.

    Parameters
    ----------
    words : (v, d) tensor
        The encoder's wordpiece vectors, shared.
    seed : int
        Seeds the dense layer.
    identity : bool
        Start the dense layer at the identity and leave the GELU out: for a head on a trained
        encoder, whose states should not be scrambled first.
    """

    def __init__(self, words: Any, *, seed: int, identity: bool = False) -> None:
        super().__init__()
        width = words.shape[1]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.dense = nn.Linear(width, width)
            nn.init.normal_(self.dense.weight, std=0.02)
        nn.init.zeros_(self.dense.bias)
        if identity:
            nn.init.eye_(self.dense.weight)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.bias = nn.Parameter(torch.zeros(len(words)))
        self.words = (words,)  # in a tuple: shared, so not to be counted as the head's own
        self.linear_start = identity

    def forward(self, states: Tensor) -> Tensor:
        """(n, d) states -> (n, v) logits."""
        states = self.dense(states)
        if not self.linear_start:
            states = functional.gelu(states)
        return functional.linear(self.norm(states), self.words[0], self.bias)
