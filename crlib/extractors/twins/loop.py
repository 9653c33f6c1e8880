"""The training loop: one step is a function of (settings, weights, step number)."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from crlib.extractors.twins import objectives
from crlib.extractors.twins.architecture import hidden_states
from crlib.extractors.twins.batches import pad, stream
from crlib.extractors.twins.checkpoint import (
    Progress,
    read_checkpoint,
    write_checkpoint,
)
from crlib.extractors.twins.corpus import Corpus, Rows
from crlib.extractors.twins.recipes import Phase, Recipe, phase_lengths, rate
from crlib.training_state import trained, unpack_moments


@dataclass(frozen=True)
class Job:
    """A training: what, from which data, for how long.

    Attributes
    ----------
    name : str
        Of the twin; for messages.
    recipe : Recipe
        Phases and rates.
    steps, budget, seed : int
        Steps in all, tokens a step, seed of batches, masks and dropout.
    every : int
        Steps between checkpoints.
    """

    name: str
    recipe: Recipe
    steps: int
    budget: int
    seed: int
    every: int = 200

    def fingerprint(self, corpus: Corpus) -> str:
        """SHA-256 of all that the trained weights depend on."""
        settings = [asdict(self.recipe), self.steps, self.budget, self.seed, corpus.digest]
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


class Learner(nn.Module):
    """An encoder and the prediction head that trains with it."""

    def __init__(
        self, encoder: nn.Module, head: nn.Module, set_causal: Callable[[bool], None]
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head
        self.set_causal = set_causal


def train(
    learner: Learner,
    corpus: Corpus,
    job: Job,
    checkpoint: Path,
    *,
    device: str = "cpu",
    report: Callable[[int, float], None] | None = None,
) -> Progress:
    """Train `learner` in place, from the checkpoint where there is one that fits.

    Parameters
    ----------
    learner : Learner
        At its start; the same start gives the same weights bit for bit on the same CPU and
        library versions, interrupted or not.
    corpus, job
        Data and settings.
    checkpoint : Path
        Written every `job.every` steps and at the end.
    device : str
        "cpu", "cuda" or "cuda:<n>".
    report : callable, optional
        Called with (steps done, loss) after each step.

    Returns
    -------
    Progress
        Losses, tokens and CPU-seconds.
    """
    learner.to(device)
    fingerprint = job.fingerprint(corpus)
    found = read_checkpoint(checkpoint, fingerprint, learner)
    progress, tensors = found if found else (Progress(), {})
    first = 0
    for number, length in enumerate(phase_lengths(job.recipe, job.steps)):
        done = min(max(progress.step - first, 0), length)
        first += length
        if done == length:
            continue
        phase = job.recipe.phases[number]
        optimiser = _optimiser(learner, phase, job.recipe)
        if done:
            unpack_moments(tensors, trained(learner), optimiser)
        learner.set_causal(phase.causal)
        batches = stream(_costs(corpus, phase), job.budget, seed=(job.seed, number, 1), first=done)
        for step in range(done, length):
            clock = time.process_time()
            passed, batch = next(batches)
            for group in optimiser.param_groups:
                group["lr"] = rate(phase, step, length, job.recipe.peak_rate)
            # Dropout is drawn from (seed, step), so a resumed step draws what it would have.
            torch.manual_seed(_mix(job.seed, progress.step))
            loss = _loss(learner, corpus, job, number, passed, batch, progress, device)
            loss.backward()
            nn.utils.clip_grad_norm_(trained(learner).values(), job.recipe.clip)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            progress.step += 1
            progress.losses.append(loss.item())
            progress.cpu_seconds += time.process_time() - clock
            if not np.isfinite(progress.losses[-1]):
                raise ValueError(
                    f"{job.name}: the loss is {progress.losses[-1]} at {progress.step}"
                )
            if progress.step % job.every == 0 or progress.step == job.steps:
                write_checkpoint(checkpoint, fingerprint, progress, learner, optimiser)
            if report:
                report(progress.step, progress.losses[-1])
    return progress


def _mix(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)


def _costs(corpus: Corpus, phase: Phase) -> NDArray[np.int64]:
    """Tokens that a text costs in a step, so that all objectives encode as many of them."""
    lengths = np.array([len(row) for row in corpus.rows])
    if phase.objective == "simcse":
        return 2 * lengths
    if phase.objective == "pairs":
        return np.array([len(a) + len(b) for a, b in zip(corpus.names, corpus.bodies, strict=True)])
    return lengths


def _optimiser(learner: Learner, phase: Phase, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW without decay on biases and norms."""
    parameters = list(trained(learner).values())
    return torch.optim.AdamW(
        [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": phase.weight_decay},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ],
        lr=recipe.peak_rate,
        betas=phase.betas,
        eps=phase.eps,
        fused=True,
    )


def _loss(
    learner: Learner,
    corpus: Corpus,
    job: Job,
    number: int,
    passed: int,
    batch: NDArray[np.int64],
    progress: Progress,
    device: str,
) -> Tensor:
    phase = job.recipe.phases[number]

    def states(rows: Rows) -> tuple[Tensor, Tensor]:
        ids, mask = (tensor.to(device) for tensor in pad(rows, corpus.padding))
        progress.tokens += sum(len(row) for row in rows)
        progress.padded_tokens += ids.numel()
        return hidden_states(learner.encoder, ids, mask), mask

    def labels_of(rows: Rows) -> Tensor:
        return pad(rows, objectives.IGNORED)[0].to(device)

    if phase.objective in ("simcse", "pairs"):
        if phase.objective == "simcse":
            a = b = [corpus.rows[i] for i in batch]
        else:
            a, b = [corpus.names[i] for i in batch], [corpus.bodies[i] for i in batch]
        first, second = (objectives.mean_pool(*states(rows)) for rows in (a, b))
        return objectives.info_nce(
            first,
            second,
            temperature=job.recipe.temperature,
            both_ways=phase.objective == "pairs",
        )
    rows = [corpus.rows[i] for i in batch]
    keys = [(job.seed, number, 2, passed // phase.passes_per_mask, int(i)) for i in batch]
    if phase.objective == "causal":
        labels = objectives.choose_next(rows, keys)
    else:
        rows, labels = objectives.mask_tokens(
            rows,
            keys,
            mask_id=corpus.mask_id,
            special=corpus.special,
            vocabulary=corpus.vocabulary,
        )
    return objectives.prediction_loss(
        states(rows)[0],
        labels_of(labels),
        learner.head,
        shift=phase.objective in ("causal", "masked-next"),
    )
