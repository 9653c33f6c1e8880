"""Explorer of tools: type a query, see the nearest tools, an agent's chain, and the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets

from crlib import data, extractors
from crlib.agents.a2c import A2C
from crlib.agents.practice import practised
from crlib.agents.retrieval import retrieve
from crlib.envs.tool_arms import tool_features
from crlib.envs.tool_tasks import tool_tasks
from crlib.envs.tools import ToolBatch
from crlib.explore.panel import LABEL, Messages, observe, table

SHOWN = 8  # nearest tools
EXAMPLES = 30


class ToolExplorer:
    """Controls and tables; show `view` in a notebook.

    An agent is trained for each embedding when it is first asked for, from the other queries'
    solutions; a few seconds each.

    Parameters
    ----------
    actions : ActionSet
        The tools, with queries.
    models : sequence of str
        On offer.
    imitation, updates : int
        As of `crlib.agents.practice.practised`.
    seed : int
    """

    def __init__(
        self,
        actions: data.ActionSet,
        models: Sequence[str] = ("mlm-bert", "simcse", "supervised-jina", "minilm"),
        *,
        imitation: int = 200,
        updates: int = 5,
        seed: int = 0,
    ) -> None:
        self.actions = actions
        self.tasks = tool_tasks(actions, seen=True, max_tools=5, seed=seed)
        self.seed, self.imitation, self.updates = seed, imitation, updates
        self.messages = Messages()
        wide: dict[str, Any] = {"style": LABEL, "layout": widgets.Layout(width="760px")}
        self.model = widgets.Dropdown(
            options=list(models), value=models[0], description="embedding", **wide
        )
        examples = [self.tasks.texts[i] for i in self.tasks.unseen_queries[:EXAMPLES]]
        self.example = widgets.Dropdown(
            options=["", *examples], value="", description="a query it never saw", **wide
        )
        self.query = widgets.Text(
            value=examples[0], description="your query", continuous_update=False, **wide
        )
        self.result = widgets.HTML()
        self._learnt: dict[str, tuple[A2C, Any, Any]] = {}
        observe([self.model, self.query], self.messages.guard(self.update, "Looking …"))
        self.example.observe(self._take, names="value")
        self.view = widgets.VBox(
            [self.model, self.example, self.query, self.messages.line, self.result]
        )
        self.messages.guard(self.update, "Learning …")()

    def _take(self, change: dict[str, Any]) -> None:
        if change["new"]:
            self.query.value = change["new"]

    def _agent(self, model: str) -> tuple[A2C, Any, Any]:
        if model not in self._learnt:
            self.messages.say(f"Learning on {model}, once …")
            tools = extractors.encode(self.actions.texts, model, ids=self.actions.ids)
            queries = extractors.encode(self.tasks.texts, model)
            features = tool_features(tools, queries)
            env = ToolBatch(*features, self.tasks.solutions, 5)
            agent = practised(
                env, self.tasks.train, imitation=self.imitation, updates=self.updates,
                seed=self.seed,
            )  # fmt: skip
            self._learnt[model] = agent, features[0], tools
            self.messages.say("")
        return self._learnt[model]

    def answer(self, text: str, model: str) -> tuple[list[str], list[str], list[str]]:
        """Return names of the nearest tools, of the agent's calls, and of the true ones.

        Parameters
        ----------
        text : str
            Not empty.
        model : str

        Raises
        ------
        ValueError
            For an empty query.
        """
        if not text.strip():
            raise ValueError("type a query, such as: read a file and count its words")
        agent, features, tools = self._agent(model)
        # The mean and axes are the tools', so a new query is mapped like the others.
        one = tool_features(tools, extractors.encode([text], model))[1]
        near = retrieve(one, features, SHOWN)[0]
        # Its solution is not known; any tool stands in, as none is looked at while acting.
        env = ToolBatch(features, one, [(0,)], 5)
        chain = agent.act(env, [0])[0][0]
        known = [i for i, other in enumerate(self.tasks.texts) if other == text]
        truth = self.tasks.solutions[known[0]] if known else ()
        ids = self.actions.ids
        called = chain[chain >= 0].tolist()
        return [ids[i] for i in near], [ids[i] for i in called], [ids[i] for i in truth]

    def update(self) -> None:
        """Answer the query."""
        near, called, truth = self.answer(self.query.value, self.model.value)
        unknown = "nobody knows: it is not among the data's queries"
        marked = [f"✓ {name}" if name in truth else name for name in called]
        longest = max(len(near), len(called), len(truth), 1)
        columns = [near, marked, truth or [unknown]]
        rows = [[c[i] if i < len(c) else "" for c in columns] for i in range(longest)]
        self.result.value = table(
            rows, ("nearest tools", "the agent's calls", "the truth"),
            f"{self.query.value[:200]} — {self.model.value}, {len(self.actions):,} tools",
        )  # fmt: skip
