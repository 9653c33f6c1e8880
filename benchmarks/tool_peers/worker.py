"""Train one library's A2C on tools, a part of its steps for each line that comes in.

``python worker.py NAME K D STEPS``: each line on the standard input asks for one part of about
STEPS steps and is answered by a line of JSON; "end" asks for how it plays by then.
Only numpy, the environment and the library are imported, in the Python that has them.
"""

import json
import sys
import time
from importlib.metadata import version

import numpy as np

LENGTH, BATCH, QUERIES, CLUSTERS, TOOLS = 5, 64, 400, 20, 5
# Calls cost nothing: else to stop at once is best as long as no tool is found, and is learnt.
COST = 0.0
GAMMA, LAMBDA, RATE, WIDTH = 1.0, 0.95, 1e-3, 64


def problem(n_tools, d):
    """Return tools in clusters, and queries that each need some tools of one cluster."""
    rng = np.random.default_rng(0)
    group = np.arange(n_tools) % CLUSTERS
    tools = _unit(rng.standard_normal((CLUSTERS, d)))[group]
    tools = _unit(tools + 0.5 * rng.standard_normal(tools.shape) / np.sqrt(d)).astype(np.float32)
    topics = rng.integers(CLUSTERS, size=QUERIES)
    solutions = [
        tuple(rng.choice(np.flatnonzero(group == topic), TOOLS, replace=False).tolist())
        for topic in topics
    ]
    queries = _unit(np.array([tools[list(solution)].sum(axis=0) for solution in solutions]))
    return tools, queries, solutions


def _unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class Crlib:
    """The project's, on its own batches of episodes; a transformer of width 64."""

    package, size, support = "crlib", (WIDTH, 1, 2), "exact"

    def __init__(self, tools, queries, solutions):
        from crlib.agents.a2c import A2C, Settings
        from crlib.agents.reward_transformer import Shape
        from crlib.envs.tools import ToolBatch

        self.env = ToolBatch(tools, queries, solutions, LENGTH, COST)
        size = Shape(*self.size) if isinstance(self.size, tuple) else self.size
        settings = Settings(gamma=GAMMA, lam=LAMBDA, batch=BATCH, rate=RATE, updates=1_000_000,
                            support=self.support)  # fmt: skip
        self.agent = A2C(tools, LENGTH, size=size, settings=settings)
        # The schedule of so long a training is still rising: a constant rate, as the other has.
        self.agent.rate_factor = lambda update: 1.0
        explore = self.agent.explore
        self.steps = self.asked = 0

        def counted(env, numbers):
            episodes = explore(env, numbers)
            self.steps += int(episodes.live.sum())  # of episodes that go on, as the other counts
            return episodes

        self.agent.explore = counted

    @property
    def n_parameters(self):
        return self.agent.network.n_parameters

    def learn(self, steps):
        self.asked += steps  # in all, so that what a part did too much is not asked of the next
        while self.steps < self.asked:
            next(self.agent.train(self.env, np.arange(QUERIES), 1))

    def play(self):
        chain, info = self.agent.act(self.env, np.arange(QUERIES))
        calls = (chain >= 0).sum(axis=1)
        return info["success"], info["covered"], calls


class CrlibLaptop(Crlib):
    size = "laptop"


class CrlibSampled(Crlib):
    support = "sampled"


class CrlibSampledLaptop(CrlibLaptop):
    support = "sampled"


class StableBaselines:
    """Its MlpPolicy, two layers of 64, on as many copies of ToolEnv and as many steps an update.

    It takes no sets of vectors: it sees the query, the mean embedding of what was called, and how
    much was called.
    """

    package = "stable-baselines3"

    def __init__(self, tools, queries, solutions):
        import gymnasium
        from stable_baselines3 import A2C
        from stable_baselines3.common.vec_env import DummyVecEnv

        from crlib.envs.tools import ToolEnv

        d = tools.shape[1]

        class Features(gymnasium.ObservationWrapper):
            def __init__(self, env):
                super().__init__(env)
                self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (2 * d + 1,))

            def observation(self, seen):
                n = seen["length"]
                called = tools[seen["chain"][:n]].mean(axis=0) if n else np.zeros(d)
                parts = [seen["query"], called, [n / LENGTH]]
                return np.concatenate(parts).astype(np.float32)

        def make(seed):
            return lambda: Features(ToolEnv(tools, queries, solutions, LENGTH, COST, seed))

        self.envs = DummyVecEnv([make(seed) for seed in range(BATCH)])
        self.agent = A2C(
            "MlpPolicy", self.envs, n_steps=LENGTH, gamma=GAMMA, gae_lambda=LAMBDA,
            learning_rate=RATE, ent_coef=0.01, max_grad_norm=1.0, seed=0, device="cpu",
        )  # fmt: skip
        self.single = Features(ToolEnv(tools, queries, solutions, LENGTH, COST))
        self.steps = 0

    @property
    def n_parameters(self):
        return sum(p.numel() for p in self.agent.policy.parameters())

    def learn(self, steps):
        self.agent.learn(steps, reset_num_timesteps=False)
        self.steps = self.agent.num_timesteps

    def play(self):
        found = []
        for query in range(QUERIES):
            seen, _ = self.single.reset(options={"query": query})
            done, calls = False, 0
            while not done:
                action, _ = self.agent.predict(seen, deterministic=True)
                seen, _, done, _, info = self.single.step(action)
                calls += int(action != self.single.action_space.n - 1)
            found.append((info["success"], info["covered"], calls))
        return np.array(found).T


LEARNERS = {
    "stable-baselines3": StableBaselines,
    "crlib": Crlib,
    "crlib, laptop": CrlibLaptop,
    "crlib, 1,024 sampled": CrlibSampled,
    "crlib, laptop, 1,024 sampled": CrlibSampledLaptop,
}


def main(name, n_tools, d, steps):
    """Answer the lines that come in."""
    import torch

    torch.set_num_threads(1)
    learner = LEARNERS[name](*problem(n_tools, d))
    for line in sys.stdin:
        if line.strip() == "end":
            success, covered, calls = (float(np.mean(values)) for values in learner.play())
            answer = {
                "version": version(learner.package), "parameters": learner.n_parameters,
                "steps": learner.steps, "success": success, "covered": covered / TOOLS,
                "calls": calls,
            }  # fmt: skip
        else:
            before, started = learner.steps, time.process_time()
            learner.learn(steps)
            seconds = time.process_time() - started
            answer = {"seconds": seconds / (learner.steps - before)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
