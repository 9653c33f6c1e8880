"""The softmax over all actions: its samples, its probabilities, and restricted supports."""

import numpy as np
import pytest
import torch
from scipy import stats

from crlib.agents import policy
from crlib.agents.advantages import generalised_advantages, n_step_advantages
from crlib.agents.reward_transformer import SHAPES, RewardTransformer, Shape


def test_samples_follow_the_softmax():
    logits = torch.tensor([[0.0, 2.0, -1.0, 1.0, -torch.inf, 0.5]])
    uniform = torch.rand(200_000, generator=torch.Generator().manual_seed(1))
    found = np.bincount(policy.sample(logits.expand(200_000, -1), uniform).numpy(), minlength=6)
    expected = torch.softmax(logits.double(), dim=1)[0].numpy() * 200_000
    assert found[4] == 0
    likely = expected > 0
    assert stats.chisquare(found[likely], expected[likely]).pvalue > 1e-4


def test_the_ends_of_the_uniform_give_possible_actions():
    logits = torch.tensor([[-torch.inf, 0.0, 0.0, -torch.inf]])
    for u, action in ((0.0, 1), (0.4999, 1), (0.5001, 2), (1 - 1e-12, 2)):
        assert policy.sample(logits, torch.tensor([u], dtype=torch.float64)).item() == action


def test_one_action_among_many_keeps_its_share():
    """In float32 the sum of 16,000 equal terms would lose the last ones."""
    logits = torch.zeros(1, 16_001)
    last = torch.tensor([1 - 0.5 / 16_001], dtype=torch.float64)
    assert policy.sample(logits, last).item() == 16_000


def test_probabilities_and_entropy_are_torch_s():
    logits = torch.randn(7, 11, generator=torch.Generator().manual_seed(0))
    actions = torch.arange(7)
    reference = torch.distributions.Categorical(logits=logits)
    torch.testing.assert_close(policy.log_probability(logits, actions),
                               reference.log_prob(actions))  # fmt: skip
    torch.testing.assert_close(policy.log_probability(logits, actions),
                               reference.log_prob(actions))  # fmt: skip
    torch.testing.assert_close(policy.entropy(logits), reference.entropy())


def test_entropy_of_a_restricted_support_has_a_finite_gradient():
    logits = torch.randn(3, 9, requires_grad=True)
    policy.entropy(policy.restrict(logits, "top-k", 2)).sum().backward()
    assert torch.isfinite(logits.grad).all()
    assert (logits.grad[:, 8] != 0).all()


@pytest.mark.parametrize("top", [None, 3])
def test_a_draw_is_the_sample_its_probability_the_entropy_and_their_gradients(top):
    generator = torch.Generator().manual_seed(0)
    shapes = ((6, 5), (6,), (11, 5), (6,), (6,))
    proto, stop, actions, by_log, by_entropy = (
        torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in shapes
    )
    uniform = torch.rand(6, generator=generator, dtype=torch.float64)
    rows = policy.table(actions)

    def plain(proto, stop):
        logits = policy.scores(proto, stop, rows)
        logits = policy.restrict(logits, "exact" if top is None else "top-k", top or 1)
        drawn = policy.sample(logits, uniform)
        return drawn, policy.log_probability(logits, drawn), policy.entropy(logits)

    found = []
    for way in (plain, lambda proto, stop: policy.draw(proto, stop, rows, uniform, top)):
        leaves = [proto.clone().requires_grad_(), stop.clone().requires_grad_()]
        drawn, log, entropy = way(*leaves)
        (log @ by_log + entropy @ by_entropy).backward()
        found.append([drawn, log, entropy, *(leaf.grad for leaf in leaves)])
    assert len(set(found[0][0].tolist())) > 2
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


def test_the_log_of_given_actions_and_its_gradient_are_those_of_the_scores():
    generator = torch.Generator().manual_seed(0)
    proto, stop, actions, weights = (
        torch.randn(*shape, generator=generator, dtype=torch.float64)
        for shape in ((4, 5), (4,), (11, 5), (4,))
    )
    rows, given = policy.table(actions), torch.tensor([0, 11, 3, 3])
    found = []
    for way in (
        lambda p, s: policy.log_probability(policy.scores(p, s, rows), given),
        lambda p, s: policy.log_of(p, s, rows, given),
    ):
        leaves = [proto.clone().requires_grad_(), stop.clone().requires_grad_()]
        log = way(*leaves)
        (log @ weights).backward()
        found.append([log, *(leaf.grad for leaf in leaves)])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


def test_scores_of_a_part_of_the_table_are_those_of_the_whole():
    generator = torch.Generator().manual_seed(0)
    proto, stop, actions = (torch.randn(*n, generator=generator) for n in ((3, 5), (3,), (11, 5)))
    rows = policy.table(actions)
    whole = policy.scores(proto, stop, rows)
    torch.testing.assert_close(whole, torch.cat([proto @ actions.T, stop[:, None]], 1))
    numbers = policy.sampled_support(11, 4, torch.Generator().manual_seed(3))
    part = policy.scores(proto, stop, rows[numbers])
    torch.testing.assert_close(part, whole[:, numbers])
    kept = policy.restrict(whole, "sampled", 4, torch.Generator().manual_seed(3)).isfinite()
    assert set(torch.nonzero(kept[0])[:, 0].tolist()) == set(numbers.tolist())
    assert numbers[-1] == 11


def test_top_k_keeps_the_highest_and_stopping():
    logits = torch.tensor([[5.0, 1.0, 3.0, 4.0, -9.0]])
    kept = torch.isfinite(policy.restrict(logits, "top-k", 2))[0]
    assert kept.tolist() == [True, False, False, True, True]


def test_a_sampled_support_is_one_subset_of_its_size():
    logits = torch.zeros(4, 21)
    draws = [
        torch.isfinite(policy.restrict(logits, "sampled", 6, torch.Generator().manual_seed(s)))
        for s in (1, 1, 2)
    ]
    assert all((kept.sum(dim=1) == 7).all() and kept[:, 20].all() for kept in draws)
    assert (draws[0] == draws[0][0]).all()
    assert (draws[0] == draws[1]).all()
    assert (draws[0] != draws[2]).any()


@pytest.mark.parametrize(("support", "k"), [("nearest", 3), ("top-k", 0), ("sampled", 5)])
def test_supports_that_mean_nothing_are_refused(support, k):
    with pytest.raises(ValueError, match=r"support = |k = "):
        policy.restrict(torch.zeros(1, 5), support, k)


@pytest.fixture
def episodes():
    rng = np.random.default_rng(0)
    lengths = np.array([1, 3, 5, 5])
    live = np.arange(5) < lengths[:, None]
    return rng.standard_normal((4, 5)) * live, rng.standard_normal((4, 5)), live, lengths


@pytest.mark.parametrize(("gamma", "lam"), [(1.0, 0.95), (0.9, 0.5), (0.7, 0.0), (0.99, 1.0)])
def test_generalised_advantages_are_their_definition(episodes, gamma, lam):
    rewards, values, live, lengths = episodes
    found = generalised_advantages(rewards, values, live, gamma=gamma, lam=lam)
    for b, length in enumerate(lengths):
        v = [*values[b, :length], 0.0]
        delta = [rewards[b, t] + gamma * v[t + 1] - v[t] for t in range(length)]
        for t in range(5):
            expected = sum((gamma * lam) ** i * delta[t + i] for i in range(max(0, length - t)))
            assert found[b, t] == pytest.approx(expected if t < length else 0.0, abs=1e-12)


def test_lambda_one_is_the_return_minus_the_value(episodes):
    rewards, values, live, lengths = episodes
    found = generalised_advantages(rewards, values, live, gamma=0.9, lam=1.0)
    for b, length in enumerate(lengths):
        returned = sum(0.9**i * rewards[b, i] for i in range(length))
        assert found[b, 0] == pytest.approx(returned - values[b, 0])


@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_n_step_advantages_are_their_definition(episodes, n):
    rewards, values, live, lengths = episodes
    found = n_step_advantages(rewards, values, live, gamma=0.8, n=n)
    for b, length in enumerate(lengths):
        for t in range(length):
            seen = sum(0.8**i * rewards[b, t + i] for i in range(min(n, length - t)))
            after = 0.8**n * values[b, t + n] if t + n < length else 0.0
            assert found[b, t] == pytest.approx(seen + after - values[b, t])
        assert (found[b, length:] == 0).all()
    one = generalised_advantages(rewards, values, live, gamma=0.8, lam=0.0)
    np.testing.assert_allclose(n_step_advantages(rewards, values, live, gamma=0.8, n=1), one)


def test_advantages_of_what_does_not_fit_are_refused(episodes):
    rewards, values, live, _ = episodes
    with pytest.raises(ValueError, match="must be"):
        generalised_advantages(rewards, values[:, :2], live, gamma=1, lam=1)
    with pytest.raises(ValueError, match=r"lam = 1\.5"):
        generalised_advantages(rewards, values, live, gamma=1, lam=1.5)
    with pytest.raises(ValueError, match="n = 0"):
        n_step_advantages(rewards, values, live, gamma=1, n=0)


@pytest.mark.parametrize(("size", "d", "expected"), [("laptop", 128, 1.1e6), ("paper", 768, 36e6)])
def test_sizes_have_about_the_stated_numbers_of_parameters(size, d, expected):
    network = RewardTransformer(d, 5, size)
    assert network.n_parameters == pytest.approx(expected, rel=0.06)
    assert network.n_parameters == sum(p.numel() for p in network.parameters())
    shape = SHAPES[size]
    layers = sum(p.numel() for p in network.encoder.layers.parameters())
    assert layers == pytest.approx(12 * shape.layers * shape.width**2, rel=0.02)


def test_what_lies_beyond_the_chain_is_not_seen():
    network = RewardTransformer(6, 4, Shape(16, 2, 2)).eval()
    query, chain = torch.randn(2, 6), torch.randn(2, 4, 6)
    length = torch.tensor([0, 2])
    changed = chain.clone()
    changed[0], changed[1, 2:] = 9.0, -5.0
    for one, other in zip(network(query, chain, length), network(query, changed, length),
                          strict=True):  # fmt: skip
        torch.testing.assert_close(one, other)
    changed[1, 1] += 1
    assert (network(query, chain, length)[0][1] != network(query, changed, length)[0][1]).item()


def test_the_order_of_a_chain_is_seen():
    network = RewardTransformer(6, 4, Shape(16, 1, 2)).eval()
    query, chain, length = torch.randn(1, 6), torch.randn(1, 4, 6), torch.tensor([2])
    swapped = chain[:, [1, 0, 2, 3]]
    assert (network(query, chain, length)[0] - network(query, swapped, length)[0]).abs() > 1e-5


@pytest.mark.parametrize(
    ("d", "length", "size"), [(0, 4, "laptop"), (4, 0, "paper"), (4, 4, "huge")]
)
def test_networks_of_no_size_are_refused(d, length, size):
    with pytest.raises(ValueError, match="expected"):
        RewardTransformer(d, length, size)
