"""Play one library's bandit and print one JSON line; runs in the peers' own environment.

``python worker.py NAME K D ROUNDS SECONDS``: at most so many rounds in so many seconds. Only numpy
and the library are imported. The problem is that of `benchmarks.bandits` with one seed.
"""

import json
import sys
import time
from importlib.metadata import version

import numpy as np

CHECKPOINTS = (20, 50, 100, 200, 500, 1000)


class Reference:
    """Linear Thompson sampling as a paper writes it: covariance by Sherman and Morrison."""

    package = "numpy"

    def __init__(self, rows, rng):
        self.rows, self.rng = rows, rng
        self.covariance, self.b = np.eye(rows.shape[1]), np.zeros(rows.shape[1])

    def select(self, x):
        root = np.linalg.cholesky(self.covariance)
        theta = self.covariance @ self.b + root @ self.rng.standard_normal(len(x))
        return int(np.argmax(self.rows @ (x * theta)))

    def update(self, x, action, reward):
        phi = x * self.rows[action]
        v = self.covariance @ phi
        self.covariance -= np.outer(v, v) / (1 + phi @ v)
        self.b += reward * phi


class Crlib:
    """The agent of this project, one replication."""

    package = "crlib"
    replications = 1

    def __init__(self, rows, rng):
        from crlib.agents.thompson import LinearTS

        self.agent = LinearTS(rows, self.replications)

    def select(self, x):
        return self.agent.select(np.tile(x, (self.replications, 1)))

    def update(self, x, action, reward):
        self.agent.update(np.tile(x, (self.replications, 1)), action, reward)


class CrlibOfTen(Crlib):
    """Ten replications as rows of one product, as an experiment over seeds runs them."""

    replications = 10


class BayesianBandits:
    """A shared Bayesian regression over x * a of every arm."""

    package = "bayesianbandits"

    def __init__(self, rows, rng):
        from bayesianbandits import (
            Arm,
            FunctionArmFeaturizer,
            LipschitzContextualAgent,
            NormalRegressor,
            ThompsonSampling,
        )

        def features(X, tokens):
            # All arms when it chooses, in their order; one when it learns. No table is copied.
            offered = rows if len(tokens) == len(rows) else rows[tokens]
            return (X[:, None, :] * offered).transpose(0, 2, 1)

        self.agent = LipschitzContextualAgent(
            arms=[Arm(i) for i in range(len(rows))],
            policy=ThompsonSampling(),
            arm_featurizer=FunctionArmFeaturizer(features),
            learner=NormalRegressor(alpha=1.0, beta=1.0),
            random_seed=0,
        )

    def select(self, x):
        return int(self.agent.pull(x[None])[0])

    def update(self, x, action, reward):
        self.agent.select_for_update(action).update(x[None], np.array([reward]))


class VowpalWabbit:
    """Large action spaces, with x * a as the features of each action, as its text format has them.

    Most of its round is writing and parsing them; the other form is for who can do without.
    """

    package = "vowpalwabbit"
    options = "--cb_explore_adf --large_action_space --max_actions 20 --quiet --noconstant"

    def __init__(self, rows, rng):
        import vowpalwabbit

        self.rows, self.rng = rows, rng
        self.vw = vowpalwabbit.Workspace(self.options)

    def _lines(self, phi, labels):
        features = [" ".join(f"{i}:{v:.4f}" for i, v in enumerate(row)) for row in phi]
        return [f"{label}|a {text}" for label, text in zip(labels, features, strict=True)]

    def select(self, x):
        self.phi = self.rows * x
        found = np.array(self.vw.predict(self._lines(self.phi, [""] * len(self.rows))))
        action = int(self.rng.choice(len(found), p=found / found.sum()))
        self.probability = found[action]
        return action

    def update(self, x, action, reward):
        label = f"0:{-reward:.4f}:{self.probability:.6f} "
        self.vw.learn(self._lines(self.phi[[action]], [label]))


class VowpalWabbitQuadratic(VowpalWabbit):
    """Its own products of context and action, d * d weights; the actions are parsed once."""

    options = f"{VowpalWabbit.options} -q xa --ignore_linear x --ignore_linear a"

    def __init__(self, rows, rng):
        super().__init__(rows, rng)
        self.lines = self._lines(rows, [""] * len(rows))
        self.parsed = self.vw.parse(self.lines)

    def select(self, x):
        self.head = "shared |x " + " ".join(f"{i}:{v:.4f}" for i, v in enumerate(x))
        shared = self.vw.parse([self.head])
        found = np.array(self.vw.predict(shared + self.parsed))
        self.vw.finish_example(shared)
        action = int(self.rng.choice(len(found), p=found / found.sum()))
        self.probability = found[action]
        return action

    def update(self, x, action, reward):
        label = f"0:{-reward:.4f}:{self.probability:.6f} "
        self.vw.learn([self.head, label + self.lines[action]])


class Mabwiser:
    """A regression of its own for each arm; it has no features of arms."""

    package = "mabwiser"

    def __init__(self, rows, rng):
        from mabwiser.mab import MAB, LearningPolicy

        self.mab = MAB(list(range(len(rows))), LearningPolicy.LinTS(alpha=1.0), seed=0)
        self.mab.fit([0], [0.0], np.zeros((1, rows.shape[1])))

    def select(self, x):
        return int(self.mab.predict(x[None]))

    def update(self, x, action, reward):
        self.mab.partial_fit([action], [reward], x[None])


class ContextualBandits:
    """A regression of its own for each arm; it has no features of arms."""

    package = "contextualbandits"

    def __init__(self, rows, rng):
        from contextualbandits.online import LinTS

        self.agent = LinTS(nchoices=len(rows), random_state=1, njobs=1)

    def select(self, x):
        return int(self.agent.predict(x[None])[0])

    def update(self, x, action, reward):
        self.agent.partial_fit(x[None], np.array([action]), np.array([reward]))


AGENTS = {
    "numpy, plain": Reference,
    "crlib": Crlib,
    "crlib, of ten at once": CrlibOfTen,
    "bayesianbandits": BayesianBandits,
    "VowpalWabbit LAS": VowpalWabbit,
    "VowpalWabbit LAS, -q": VowpalWabbitQuadratic,
    "MABWiser": Mabwiser,
    "contextualbandits": ContextualBandits,
}


def play(name, n_actions, d, rounds, seconds):
    """Return the row of one agent: rounds, seconds a round and replication, mean regret."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((n_actions, d)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    theta, contexts = rng.standard_normal(d), rng.standard_normal((rounds, d))
    noise = rng.standard_normal(rounds)
    agent = AGENTS[name](rows, np.random.default_rng(1))
    times, regret, at = [], 0.0, {}
    replications = getattr(agent, "replications", 1)
    began = time.monotonic()
    for t in range(rounds):
        x = contexts[t]
        started = time.process_time()
        action = agent.select(x)
        spent = time.process_time() - started
        means = rows @ (x * theta).astype(np.float32)
        regret += float(np.mean(means.max() - means[action]))
        reward = means[action] + noise[t]
        started = time.process_time()
        agent.update(x, action, reward)
        times.append((spent + time.process_time() - started) / replications)
        if t + 1 in CHECKPOINTS:
            at[str(t + 1)] = regret
        if time.monotonic() - began > seconds:
            break
    return {
        "peer": name, "version": version(agent.package), "K": n_actions, "d": d,
        "rounds": len(times), "seconds_median": float(np.median(times)), "regret": at,
    }  # fmt: skip


if __name__ == "__main__":
    name, n_actions, d, rounds, seconds = sys.argv[1:]
    print(json.dumps(play(name, int(n_actions), int(d), int(rounds), float(seconds))))
