from pathlib import Path

import numpy as np
import pytest
import torch

from crlib.extractors.twins.architecture import PredictionHead, new_encoder, set_causal
from crlib.extractors.twins.batches import batches_of_pass, pad, stream
from crlib.extractors.twins.corpus import Corpus
from crlib.extractors.twins.loop import Job, Learner, train
from crlib.extractors.twins.recipes import LLAMA, RECIPES, SIMCSE, phase_lengths, rate
from crlib.extractors.twins.ship import flatness, loss_curve
from crlib.extractors.twins.tokenizer import learn_tokenizer, token_ids

TWINS = ("mlm-bert", "mlm-roberta", "clm-llama", "simcse", "supervised-jina", "llm2vec")


def learner(corpus: Corpus) -> Learner:
    encoder = new_encoder(seed=0, vocabulary=corpus.vocabulary)
    head = PredictionHead(encoder.get_input_embeddings().weight, seed=0)
    return Learner(encoder, head, lambda causal: set_causal(encoder, causal)).train()


def job(name: str, steps: int = 10, every: int = 3) -> Job:
    return Job(name, RECIPES[name], steps=steps, budget=256, seed=0, every=every)


@pytest.mark.parametrize("budget", [1, 40, 10_000])
def test_a_pass_holds_every_text_once_within_the_budget(budget):
    costs = np.random.default_rng(0).integers(2, 30, size=300)
    batches = batches_of_pass(costs, budget, seed=(1,))
    assert sorted(np.concatenate(batches)) == list(range(300))
    assert all(costs[batch].sum() <= budget or len(batch) == 1 for batch in batches)


def test_the_stream_can_begin_anywhere():
    costs = np.random.default_rng(0).integers(2, 30, size=50)
    whole = [next(s) for s in [stream(costs, 100, seed=(2,))] for _ in range(40)]
    late = stream(costs, 100, seed=(2,), first=25)
    for number in range(25, 40):
        passed, batch = next(late)
        assert passed == whole[number][0]
        np.testing.assert_array_equal(batch, whole[number][1])
    assert whole[-1][0] >= 2


def test_pad():
    ids, mask = pad([np.array([5, 6, 7]), np.array([8])], 0)
    assert ids.tolist() == [[5, 6, 7], [8, 0, 0]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]


def test_the_vocabulary_does_not_depend_on_the_order_of_the_texts(texts, tokenizer):
    assert learn_tokenizer(texts[::-1], size=150).to_str() == tokenizer.to_str()
    assert learn_tokenizer(texts, size=150).to_str() == tokenizer.to_str()


def test_too_few_texts_for_a_vocabulary_are_an_error():
    with pytest.raises(ValueError, match="pass more texts"):
        learn_tokenizer(["a b", "c d"])


def test_long_empty_and_foreign_texts_are_tokenised(tokenizer):
    long, empty, emoji = token_ids(tokenizer, ["matrix " * 500, "", "\U0001f600"])
    assert len(long) == 64
    assert empty.tolist() == [2, 3]
    assert 1 in emoji


@pytest.mark.parametrize("name", TWINS)
def test_training_is_resumed_bit_for_bit(tmp_path: Path, corpus, name):
    whole = learner(corpus)
    done = train(whole, corpus, job(name), tmp_path / "whole.safetensors")

    def interrupt(step: int, loss: float) -> None:
        if step == 8:
            raise KeyboardInterrupt

    path = tmp_path / "parts.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train(learner(corpus), corpus, job(name), path, report=interrupt)
    steps = []
    resumed = learner(corpus)
    again = train(resumed, corpus, job(name), path, report=lambda step, loss: steps.append(step))
    assert steps == [7, 8, 9, 10]
    assert again.losses == done.losses
    assert (again.tokens, again.padded_tokens) == (done.tokens, done.padded_tokens)
    for (name_, a), (_, b) in zip(
        whole.named_parameters(), resumed.named_parameters(), strict=True
    ):
        assert torch.equal(a, b), name_


def test_a_finished_training_is_not_repeated(tmp_path: Path, corpus):
    path = tmp_path / "c.safetensors"
    first = learner(corpus)
    train(first, corpus, job("simcse"), path)
    second = learner(corpus)
    train(second, corpus, job("simcse"), path, report=lambda step, loss: pytest.fail("trained"))
    assert all(
        torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True)
    )


@pytest.mark.parametrize("damage", ["other settings", "truncated"])
def test_a_checkpoint_that_does_not_fit_starts_the_training_anew(tmp_path: Path, corpus, damage):
    path = tmp_path / "c.safetensors"
    train(learner(corpus), corpus, job("simcse", steps=6), path)
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-100])
    steps: list[int] = []
    wanted = job("simcse", steps=6 if damage == "truncated" else 7)
    train(learner(corpus), corpus, wanted, path, report=lambda step, loss: steps.append(step))
    assert steps[0] == 1


@pytest.mark.parametrize("name", TWINS)
def test_every_objective_spends_about_the_same_tokens_a_step_and_learns(tmp_path, corpus, name):
    progress = train(learner(corpus), corpus, job(name, steps=60), tmp_path / "c.safetensors")
    assert 0.8 * 256 * 60 < progress.tokens <= 256 * 60
    assert progress.padded_tokens < 1.2 * progress.tokens
    first, last = progress.losses[:5], progress.losses[-5:]
    assert np.mean(last) < np.mean(first)


def test_static_masks_last_four_passes_and_dynamic_ones_one():
    assert RECIPES["mlm-bert"].phases[0].passes_per_mask == 4
    assert RECIPES["mlm-roberta"].phases[0].passes_per_mask == 1


@pytest.mark.parametrize("steps", [1, 7, 3000])
def test_phases_fill_the_steps(steps):
    assert all(sum(phase_lengths(recipe, steps)) == steps for recipe in RECIPES.values())


def test_schedules():
    cosine = [rate(LLAMA, step, 1000, 1.0) for step in range(1000)]
    assert cosine[19] == 1.0
    assert cosine[9] == 0.5
    assert cosine[20 + 490] == pytest.approx(0.55)
    assert cosine[-1] == pytest.approx(0.1, abs=1e-4)
    linear = [rate(SIMCSE, step, 10, 2.0) for step in range(10)]
    np.testing.assert_allclose(linear, 2.0 - 0.2 * np.arange(10))


def test_flatness_of_known_losses():
    exact = flatness([2.0] * 80 + [1.0] * 10 + [0.9] * 10)
    assert exact["first"] == 2.0
    assert exact["last"] == pytest.approx(0.9)
    assert exact["change_last_tenth"] == pytest.approx(-0.1)
    assert exact["standard_error"] == pytest.approx(0, abs=1e-12)


def test_the_loss_curve_keeps_the_mean():
    losses = list(np.random.default_rng(0).random(120))
    curve = loss_curve(losses)
    assert curve[-1][0] == 120
    assert np.mean([value for _, value in curve]) == pytest.approx(np.mean(losses), abs=1e-5)
