"""The closed-form gradients of the two-layer network against torch's automatic ones."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from crlib.agents.network import Network, loss_and_gradient, new_network, train


def draws(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def some_network(S=3, m=6, d=5, seed=0):
    return Network(draws(S, m, d, seed=seed), draws(S, m, seed=seed + 1))


def torch_output(W, v, X):
    return np.sqrt(v.shape[-1]) * torch.relu(X @ W.T) @ v


def as_leaves(network, s):
    return [torch.tensor(part[s], requires_grad=True) for part in (network.W, network.v)]


def test_output_and_gradients_are_autograd_s():
    network, X = some_network(), draws(3, 4, 5, seed=7)
    gradients = network.gradients(X)
    assert gradients.shape == (3, 4, 6 * 6)
    for s in range(3):
        for i in range(4):
            W, v = as_leaves(network, s)
            f = torch_output(W, v, torch.tensor(X[s, i]))
            f.backward()
            assert network(X)[s, i] == pytest.approx(f.item())
            reference = np.concatenate([W.grad.numpy().ravel(), v.grad.numpy()])
            np.testing.assert_allclose(gradients[s, i], reference, atol=1e-12)


def test_loss_and_its_gradient_are_autograd_s():
    network, start = some_network(), some_network(seed=20)
    X, rewards = draws(3, 8, 5, seed=7), draws(3, 8, seed=8)
    loss, gradient = loss_and_gradient(network, start, X, rewards, decay=1.7)
    for s in range(3):
        W, v = as_leaves(network, s)
        error = torch_output(W, v, torch.tensor(X[s])) - torch.tensor(rewards[s])
        far = ((W - torch.tensor(start.W[s])) ** 2).sum() + (
            (v - torch.tensor(start.v[s])) ** 2
        ).sum()
        value = (error**2).sum() / 2 + 1.7 * far / 2
        value.backward()
        assert loss[s] == pytest.approx(value.item())
        np.testing.assert_allclose(gradient.W[s], W.grad.numpy(), atol=1e-10)
        np.testing.assert_allclose(gradient.v[s], v.grad.numpy(), atol=1e-10)


def test_a_new_network_is_zero_with_the_stated_gradient_length():
    network = new_network(2, 2000, 10, np.random.default_rng(0))
    X = draws(2, 20, 10, seed=1)
    np.testing.assert_allclose(network(X), 0, atol=1e-10)
    squares = np.sum(network.gradients(X) ** 2, axis=2)
    np.testing.assert_allclose(squares / np.sum(X**2, axis=2), 2 * 2000, rtol=0.25)


def test_a_new_network_has_the_paper_s_tangent_kernel():
    """Doubled inputs and block-diagonal weights, written out as in the paper's section 2."""
    network = new_network(1, 40, 3, np.random.default_rng(2))
    block = network.W[0, :20] * np.sqrt(2)  # variance 4/m
    W = np.block([[block, np.zeros((20, 3))], [np.zeros((20, 3)), block]])
    paper = Network(W[None], network.v)
    X = draws(1, 6, 3, seed=3)
    doubled = np.concatenate([X, X], axis=2) / np.sqrt(2)
    mine, theirs = network.gradients(X)[0], paper.gradients(doubled)[0]
    np.testing.assert_allclose(mine @ mine.T, theirs @ theirs.T, rtol=1e-10, atol=1e-9)


def test_training_reaches_what_scipy_reaches():
    """With the hidden signs fixed by positive data the loss is smooth: compare the minima."""
    start = new_network(1, 4, 2, np.random.default_rng(0))
    X, rewards = np.abs(draws(1, 12, 2, seed=4)), draws(1, 12, seed=5)

    def loss_of(flat):
        network = Network(flat[:8].reshape(1, 4, 2), flat[8:].reshape(1, 4))
        loss, gradient = loss_and_gradient(network, start, X, rewards, 2.0)
        return loss[0], np.concatenate([gradient.W.ravel(), gradient.v.ravel()])

    begin = np.concatenate([start.W.ravel(), start.v.ravel()])
    best = minimize(loss_of, begin, jac=True, method="BFGS").fun
    trained = train(start, start, X, rewards, decay=2.0, steps=2000)
    reached = loss_and_gradient(trained, start, X, rewards, 2.0)[0][0]
    assert reached == pytest.approx(best, rel=1e-3)
    assert reached < loss_of(begin)[0]


def test_training_never_raises_the_loss_and_treats_replications_apart():
    start = new_network(3, 8, 4, np.random.default_rng(0))
    # Scales far apart: a step for all would overshoot in one or stand still in another.
    X = draws(3, 15, 4, seed=1) * np.array([0.01, 1, 100])[:, None, None]
    rewards = draws(3, 15, seed=2)
    losses = []
    for steps in (1, 5, 25, 125):
        trained = train(start, start, X, rewards, decay=1.0, steps=steps)
        losses.append(loss_and_gradient(trained, start, X, rewards, 1.0)[0])
    assert np.all(np.diff(losses, axis=0) <= 0)
    assert np.all(losses[-1][1:] < losses[0][1:])
    alone = train(
        Network(start.W[1:2], start.v[1:2]),
        Network(start.W[1:2], start.v[1:2]),
        X[1:2],
        rewards[1:2],
        decay=1.0,
        steps=25,
    )
    together = train(start, start, X, rewards, decay=1.0, steps=25)
    np.testing.assert_allclose(together.W[1], alone.W[0], rtol=1e-8)


@pytest.mark.parametrize("width", [0, 3, -2])
def test_an_odd_width_is_refused(width):
    with pytest.raises(ValueError, match=f"width = {width} must be an even"):
        new_network(1, width, 3, np.random.default_rng(0))
