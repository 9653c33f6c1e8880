"""Worked examples of chosen steps, and scores of mathematics agents by embedding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from html import escape

import numpy as np
import pandas as pd
from IPython.display import HTML
from numpy.typing import NDArray

from crlib.data.calculations import StepError, infix
from crlib.data.schemas import Schema, execute, operand_value
from crlib.envs.math_arms import Scores
from crlib.envs.mathematics import MathBatch
from crlib.metrics.statistics import paired_bootstrap

Key = tuple[str, str]  # embedding, agent
SIGNS = {"*": r"\times", "/": r"\div"}


def score_frame(
    scores: Mapping[Key, Scores], unseen: int, families: Mapping[str, str], *, seed: int
) -> pd.DataFrame:
    """Return solve rate and progress on unseen problems with intervals, and on unseen families.

    Parameters
    ----------
    scores : mapping of (embedding, agent) to scores of the tested problems
    unseen : int
        The first so many of them are unseen problems, the others of unseen families.
    families : mapping of str to str
        Family of each embedding.
    seed : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        Columns embedding, arm (the agent), family; solved, solved low, solved high, progress,
        progress low, progress high, invalid of unseen problems; new solved and new progress of
        unseen families. Progress is that of problems whose reference solution the library holds;
        0 without any.
    """
    rows = []
    for (embedding, agent), found in scores.items():
        mine = {name: values[:unseen] for name, values in found.items()}
        known = mine["progress"][~np.isnan(mine["progress"])]
        if known.size < 2:  # the library holds hardly any reference solution: there is no progress
            known = np.zeros(2)
        solved = paired_bootstrap(mine["solved"], np.zeros(unseen), rng=seed)
        progress = paired_bootstrap(known, np.zeros(len(known)), rng=seed)
        others = found["solved"][unseen:], found["progress"][unseen:]
        rows.append({
            "embedding": embedding, "arm": agent, "family": families.get(embedding, "control"),
            "solved": solved.estimate, "solved low": solved.low, "solved high": solved.high,
            "progress": progress.estimate, "progress low": progress.low,
            "progress high": progress.high, "invalid": mine["invalid"].mean(),
            "new solved": others[0].mean() if others[0].size else np.nan,
            "new progress": np.nanmean(others[1]) if np.isfinite(others[1]).any() else np.nan,
        })  # fmt: skip
    return pd.DataFrame(rows)


def worked(batch: MathBatch, chains: NDArray[np.int64], shown: Sequence[int]) -> HTML:
    """Show chains step by step, each as the calculation that was executed.

    Parameters
    ----------
    batch : MathBatch
    chains : ndarray of int64, shape (N, L)
        Of all problems of the batch.
    shown : sequence of int
        Problems.

    Returns
    -------
    IPython.display.HTML
        Questions and sentences are escaped; calculations are TeX, typeset by the page.
    """
    blocks = []
    for number in shown:
        results: list[Fraction] = []
        lines = []
        for step in chains[number][chains[number] >= 0].tolist():
            schema = batch.schema(step)
            try:
                value = execute(schema, batch.numbers[number], results)
                said = f"{_filled(batch, number, schema, results)} = {_tex(value)}"
                results.append(value)
                line = f'<span class="math mathjax_process">\\({said}\\)</span>'
            except StepError as error:
                line = f"<em>{escape(str(error))}</em>"
            lines.append(
                f"<li>{line} <small class='mathjax_ignore tex2jax_ignore'>from: "
                f"{escape(batch.library.texts[step])}</small></li>"
            )
        target = batch.targets[number]
        solved = bool(results) and results[-1] == target
        question = escape(batch.problems[number].question)
        blocks.append(
            f'<p class="mathjax_ignore tex2jax_ignore">{question}</p><ol>{"".join(lines)}</ol>'
            f"<p>{'Solved.' if solved else f'Not solved: the answer is {escape(str(target))}.'}</p>"
        )
    return HTML(f'<div class="crlib-worked">{"<hr>".join(blocks)}</div>')


def _filled(batch: MathBatch, number: int, schema: Schema, results: Sequence[Fraction]) -> str:
    """The calculation with the problem's own numbers, as TeX."""
    values = [
        _tex(operand_value(token, batch.numbers[number], results)) if token[0] in "qpr0123456789"
        else token
        for token in schema
    ]  # fmt: skip
    written = infix(values)
    for sign, tex in SIGNS.items():
        written = written.replace(f" {sign} ", f" {tex} ")
    return written


def _tex(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value.numerator)
    return f"{{{value.numerator}/{value.denominator}}}"
