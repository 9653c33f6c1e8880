"""Encoding beside the matrix products that it cannot do without.

The limit of a set of texts is the time of the model's own matrix products (projections, attention
scores and values, feed-forward layers) on exactly its real tokens: no padding, no layer norms, no
GELU, no tokenizer. Beside `crlib.extractors` stands sentence-transformers' own `encode` with its
batches of 32. All are measured in turn, in one process, on one thread; medians are compared.

Three widths: the twins' 128, MiniLM's 384, and 768 in twelve layers, the size of the base models in
the paper (random weights: only the sizes count for time). What is no matrix product grows with the
width, the products with its square, so the ratio falls from the first to the last.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from transformers import BertConfig, BertModel

from benchmarks import command
from benchmarks.measure import result_row
from crlib.data.harvest import catalogue
from crlib.extractors.forward import encode_tokens
from crlib.extractors.load import Encoder, load_encoder
from crlib.extractors.minilm import PAD, minilm_tokenizer
from crlib.extractors.specs import MODELS
from crlib.extractors.twins.tokenizer import token_ids
from crlib.extractors.weights import minilm_folder
from crlib.settings import BUILD

GOAL = 1.15
BASE = "768 wide, 12 layers"
BATCH_TOKENS = 1024


def full_batches(lengths: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Cut sorted lengths into batches of the budget, whatever the lengths in them: the limit's."""
    start = 0
    for position, length in enumerate(lengths):
        if position > start and (position - start + 1) * length > BATCH_TOKENS:
            yield start, position
            start = position
    if start < len(lengths):
        yield start, len(lengths)


def products(encoder: Encoder, lengths: Sequence[int]) -> Callable[[], None]:
    """Give a function that does the model's matrix products on texts of these lengths."""
    config: Any = encoder.module.config
    width, inner, heads = (
        config.hidden_size,
        config.intermediate_size,
        config.num_attention_heads,
    )
    square, up, down = (
        torch.randn(shape) for shape in ((width, width), (width, inner), (inner, width))
    )
    shapes = []
    for start, stop in full_batches(lengths):
        batch = lengths[start:stop]
        length = round(sum(batch) / len(batch))
        shapes.append((sum(batch), (len(batch) * heads, length, width // heads)))
    most = max(tokens for tokens, _ in shapes)
    states, wide = torch.randn(most, width), torch.randn(most, inner)
    out, wide_out = torch.empty(most, width), torch.empty(most, inner)

    def run() -> None:
        for tokens, (rows, length, depth) in shapes:
            queries = torch.ones(rows, length, depth)
            scores = torch.empty(rows, length, length)
            for _ in range(config.num_hidden_layers):
                for _ in range(4):
                    torch.mm(states[:tokens], square, out=out[:tokens])
                torch.bmm(queries, queries.transpose(1, 2), out=scores)
                torch.bmm(scores, queries)
                torch.mm(states[:tokens], up, out=wide_out[:tokens])
                torch.mm(wide[:tokens], down, out=out[:tokens])

    return run


def seconds_in_turn(runs: dict[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Median seconds of each run; they take turns, so that a slow moment meets all of them."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(repeats + 1):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            if turn:  # the first turn warms up
                taken[name].append(time.perf_counter() - started)
    return {name: statistics.median(times) for name, times in taken.items()}


def base_size() -> Encoder:
    """An encoder of the base models' size, with random weights and MiniLM's word pieces."""
    module = BertModel(BertConfig(), add_pooling_layer=False)
    return Encoder(minilm_tokenizer(), module.eval(), PAD)


def every_tenth_batch(encoder: Encoder, texts: Sequence[str]) -> list[str]:
    """Thin out texts by whole batches: a tenth of the work, in batches as large as those of all.

    A random tenth would spread over the same lengths, a few texts of each.
    """
    lengths = [len(row) for row in token_ids(encoder.tokenizer, texts)]
    order = np.argsort(lengths, kind="stable")
    bounds = list(full_batches([lengths[i] for i in order]))
    return [texts[i] for start, stop in bounds[5::10] for i in order[start:stop]]


def measure(model: str, texts: Sequence[str], repeats: int) -> list[dict[str, Any]]:
    """Rows of the result for one model."""
    encoder = base_size() if model == BASE else load_encoder(MODELS[model])
    texts = every_tenth_batch(encoder, texts) if model == BASE else texts

    def ours() -> np.ndarray:
        tokens = token_ids(encoder.tokenizer, texts)
        order = np.argsort([len(row) for row in tokens], kind="stable")
        return encode_tokens(encoder, [tokens[i] for i in order], BATCH_TOKENS)

    lengths = sorted(len(row) for row in token_ids(encoder.tokenizer, texts))
    runs: dict[str, Callable[[], Any]] = {
        "limit": torch.inference_mode()(products(encoder, lengths)),
        "crlib": ours,
    }
    if model == "minilm":
        peer = SentenceTransformer(str(minilm_folder()), device="cpu", local_files_only=True)
        runs["sentence-transformers, batches of 32"] = lambda: peer.encode(
            list(texts), batch_size=32, normalize_embeddings=True
        )
    taken = seconds_in_turn(runs, repeats)
    case = f"encode {len(texts):,} texts, {sum(lengths):,} tokens, {model}"
    said = "{:.0f} texts/s, tokenizing included"
    return [
        result_row(
            case, "matrix products on the real tokens", name, seconds=seconds,
            ratio=seconds / taken["limit"], goal=GOAL if name == "crlib" else None,
            note="" if name == "limit" else said.format(len(texts) / seconds),
        )
        for name, seconds in taken.items()
    ]  # fmt: skip


def main(*, quick: bool = False) -> dict[str, Any]:
    """Run the benchmark, and write build/bench/encoding.json."""
    torch.set_num_threads(1)
    texts = list(catalogue()["text"])
    number, repeats = (300, 3) if quick else (2000, 5)
    chosen = [texts[i] for i in np.random.default_rng(0).permutation(len(texts))[:number]]
    rows = [*measure(BASE, chosen, repeats),
            *measure("minilm", chosen, repeats), *measure("mlm-bert", chosen, repeats)]  # fmt: skip
    command.print_rows(rows)
    return command.keep(BUILD / "bench", "encoding", rows)


if __name__ == "__main__":
    command.run(main, __doc__)
