"""Train the shipped models again: ``python -m crlib.extractors.train --all --jobs 4``."""

import multiprocessing
import os
import queue
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from crlib.extractors import minilm
from crlib.extractors.names import spec_of
from crlib.extractors.specs import MODELS, ModelSpec
from crlib.extractors.twins import tokenizer as twin_tokenizer
from crlib.extractors.twins.architecture import PredictionHead, new_encoder, set_causal
from crlib.extractors.twins.corpus import Corpus, read_corpus, texts_digest
from crlib.extractors.twins.loop import Job, Learner, train
from crlib.extractors.twins.recipes import RECIPES
from crlib.extractors.twins.ship import ship
from crlib.extractors.weights import SHIPPED
from crlib.io import sha256_file
from crlib.settings import BUILD

BUDGET = 4096  # tokens a step, of twins and of the continued MiniLM alike
TWIN_STEPS = 3000
MINILM_STEPS = 100
MINILM_CUT = 64  # tokens a text in training, as for the twins
TRAINABLE = tuple(name for name, spec in MODELS.items() if spec.kind == "twin")

Report = Callable[[str, int, float], None]


@dataclass(frozen=True)
class Order:
    """Where to train, how long, and on what device; a small picklable record for workers."""

    out: Path
    work: Path
    steps: int | None = None
    device: str = "cpu"


def train_model(name: str, texts: Sequence[str], order: Order, report: Report) -> dict[str, Any]:
    """Train one model from its last checkpoint, and ship it.

    Parameters
    ----------
    name : str
        One of `TRAINABLE`.
    texts : sequence of str
        All action texts.
    order : Order
        The tokenizer must already be in `order.out`/tokenizer.
    report : callable
        Called with (name, steps done, loss).

    Returns
    -------
    dict
        The card.
    """
    spec = _trainable(name)
    continued = name.startswith("minilm")
    learner, corpus, source = (_continued if continued else _twin)(spec, texts, order.out)
    steps = order.steps or (MINILM_STEPS if continued else TWIN_STEPS)
    job = Job(name, RECIPES[spec.recipe], steps=steps, budget=BUDGET, seed=spec.seed)
    learner.train()
    progress = train(
        learner,
        corpus,
        job,
        order.work / f"{name}.safetensors",
        device=order.device,
        report=lambda step, loss: report(name, step, loss),
    )
    learner.set_causal(job.recipe.phases[-1].causal)
    data = {
        "texts": len(corpus.rows),
        "texts_sha256": texts_digest(texts),
        "tokenizer_sha256": sha256_file(source),
    }
    return ship(order.out / name, spec, learner.encoder, job, progress, data)


def _trainable(name: str) -> ModelSpec:
    if spec_of(name).name not in TRAINABLE:
        raise ValueError(f"{name} is not trained here; trained are: {', '.join(TRAINABLE)}")
    return MODELS[name]


def _twin(spec: ModelSpec, texts: Sequence[str], out: Path) -> tuple[Learner, Corpus, Path]:
    path = out / "tokenizer" / "tokenizer.json"
    tokenizer = twin_tokenizer.read_tokenizer(path)
    corpus = read_corpus(
        texts,
        tokenizer,
        padding=twin_tokenizer.PAD,
        mask_id=twin_tokenizer.MASK,
        special=len(twin_tokenizer.SPECIAL),
    )
    encoder = new_encoder(seed=spec.seed, vocabulary=corpus.vocabulary)
    head = PredictionHead(encoder.get_input_embeddings().weight, seed=spec.seed)
    return Learner(encoder, head, lambda causal: set_causal(encoder, causal)), corpus, path


def _continued(spec: ModelSpec, texts: Sequence[str], out: Path) -> tuple[Learner, Corpus, Path]:
    corpus = read_corpus(
        texts,
        minilm.minilm_tokenizer(max_tokens=MINILM_CUT),
        padding=minilm.PAD,
        mask_id=minilm.MASK,
        special=minilm.SPECIAL,
    )
    base: Any = minilm.load_minilm()
    for layer in base.encoder.layer:
        layer.attention.self.dropout.p = 0.0  # dropout where the twins have it
    words: Any = base.get_input_embeddings().weight
    encoder = minilm.adapted(base, seed=spec.seed)
    head = PredictionHead(words, seed=spec.seed, identity=True)
    # A bidirectional model throughout: there is nothing to switch.
    return (
        Learner(encoder, head, lambda causal: None),
        corpus,
        minilm.minilm_folder() / "tokenizer.json",
    )


def train_models(
    names: Sequence[str],
    texts: Sequence[str],
    order: Order,
    *,
    jobs: int = 1,
    vocabulary: int = twin_tokenizer.VOCABULARY,
) -> list[dict[str, Any]]:
    """Learn the tokenizer, and train several models, each in its own process on one thread.

    Interrupted (Ctrl-C, kill), it goes on from the last checkpoints when called again.

    Parameters
    ----------
    names : sequence of str
        Some of `TRAINABLE`.
    texts : sequence of str
        All action texts.
    order : Order
        Where, how long, on what device.
    jobs : int
        Trainings at a time.
    vocabulary : int
        Tokens of the twins' tokenizer; fewer only where the texts are few.

    Returns
    -------
    list of dict
        The cards, in the order of `names`.
    """
    if not texts:
        raise ValueError("no texts to train on; expected those of the action space")
    tokenizer = twin_tokenizer.learn_tokenizer(texts, size=vocabulary)
    twin_tokenizer.save_tokenizer(tokenizer, order.out / "tokenizer" / "tokenizer.json")
    # Fresh processes ("spawn"): a forked copy of torch's thread pool can hang.
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, _bars() as bars:
        messages, stop = manager.Queue(), manager.Event()
        tasks = {name: bars.add_task(name, total=None, loss="waiting") for name in names}
        with ProcessPoolExecutor(jobs, context, initializer=_start_worker) as pool:
            futures = [pool.submit(_work, name, texts, order, messages, stop) for name in names]
            try:
                _follow(futures, messages, bars, tasks)
            except BaseException:
                stop.set()
                pool.shutdown(cancel_futures=True)
                raise
            return [future.result() for future in futures]


def _start_worker() -> None:
    torch.set_num_threads(1)
    # Ctrl-C reaches the parent alone, which then sets `stop`.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _work(
    name: str, texts: Sequence[str], order: Order, messages: Any, stop: Any
) -> dict[str, Any]:
    total = order.steps or (MINILM_STEPS if name.startswith("minilm") else TWIN_STEPS)
    parent = multiprocessing.parent_process()

    def report(name: str, step: int, loss: float) -> None:
        if parent is not None and not parent.is_alive():
            os._exit(1)  # nobody waits any more; the last checkpoint stays
        if stop.is_set():
            raise InterruptedError(f"{name} was stopped at step {step}")
        if step % 10 == 0 or step == total:
            messages.put((name, step, total, loss))

    report(name, 0, float("nan"))
    return train_model(name, texts, order, report)


def _bars() -> Progress:
    return Progress(
        TextColumn("{task.description:<16}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("loss {task.fields[loss]}"),
    )


def _follow(futures: Sequence[Future], messages: Any, bars: Progress, tasks: dict) -> None:
    """Move the bars until every training is done or one has failed."""
    while not all(future.done() for future in futures):
        failed = [future for future in futures if future.done() and future.exception()]
        if failed:
            failed[0].result()
        try:
            name, step, total, loss = messages.get(timeout=0.5)
        except queue.Empty:
            continue
        bars.update(tasks[name], completed=step, total=total, loss=f"{loss:.3f}")


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    names: Annotated[list[str] | None, typer.Argument(help="Models to train.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All shipped models.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Trainings at a time.")] = 1,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps, instead of the shipped models' number.")
    ] = None,
    packages: Annotated[
        str | None, typer.Option(help="Comma-separated packages to take texts from.")
    ] = None,
    vocabulary: Annotated[
        int, typer.Option(min=100, help="Tokens of the twins' tokenizer.")
    ] = twin_tokenizer.VOCABULARY,
    out: Annotated[
        Path | None,
        typer.Option(help="Where the models go: models/, or build/models for a partial training."),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:<n>.")] = "cpu",
) -> None:
    """Train models of the table on the texts of the action space, and write them with cards."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    chosen = list(TRAINABLE) if every else list(names or [])
    try:
        for name in chosen:
            _trainable(name)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if not chosen:
        raise typer.BadParameter(f"name models, or pass --all. Trained are: {', '.join(TRAINABLE)}")
    from crlib.data.harvest import catalogue  # not needed by what imports this module

    known = tuple(packages.split(",")) if packages else None
    texts = list(catalogue(known)["text"])
    # A trial of few steps or few texts must not overwrite what is shipped.
    partial = steps is not None or known is not None
    order = Order(
        out or (BUILD / "models" if partial else SHIPPED),
        BUILD / ("trials" if partial else "twins"),
        steps,
        device,
    )
    try:
        cards = train_models(chosen, texts, order, jobs=jobs, vocabulary=vocabulary)
    except ValueError as error:
        raise SystemExit(f"error: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit("stopped; the same command goes on from the last checkpoints") from None
    for card in cards:
        change = 100 * card["loss"]["change_last_tenth"]
        typer.echo(
            f"{card['name']}: {card['steps']} steps, {card['cpu_seconds']:.0f} CPU-s, loss "
            f"{card['loss']['last']:.3f} ({change:+.1f}% in the last tenth)"
        )


if __name__ == "__main__":
    app()
