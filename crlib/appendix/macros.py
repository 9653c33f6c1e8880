r"""Every number and verdict of the book as a LaTeX macro: \crlib{C3.raw/BERT-SimCSE/estimate}."""

import re
from collections.abc import Mapping
from typing import Any

from crlib.claims import Result, claim_verdict, load_claims, part_verdict, tally
from crlib.compare import numbers_of

# Letters of a macro's name: no other is safe between \csname and \endcsname.
UNSAFE = re.compile(r"[^A-Za-z0-9_./-]+")
SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    # In LaTeX's first font encoding these are other letters.
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''",
}  # fmt: skip

# Made by hand where LaTeX has nothing: a lookup that fails loudly instead of printing nothing.
HEAD = r"""% Numbers and verdicts of the profile {profile}, commit {commit}, computed {date}.
% Written by `make appendix`: edit nothing here, change the run instead. In the preamble:
%   \input{{macros}}
% and in the text \crlib{{NAME}} with a name from below. An unknown name is an error.
\makeatletter
\providecommand\crlibset[2]{{\expandafter\gdef\csname crlib@#1\endcsname{{#2}}}}
\providecommand\crlib[1]{{\ifcsname crlib@#1\endcsname\csname crlib@#1\endcsname\else
  \PackageError{{crlib}}{{no number or verdict is named "#1"}}{{macros.tex has the names.}}\fi}}
\providecommand\crlibfigures{{figures}}
\makeatother
"""


def escaped(text: str) -> str:
    """Text with LaTeX's special characters made harmless."""
    return "".join(SPECIAL.get(character, character) for character in text)


def slug(group: str) -> str:
    """A group's name within a macro's name: "BERT / SimCSE" as "BERT-SimCSE"."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", group).strip("-")


def shown(value: Any, spec: str = "") -> str:
    """A number as text, ready for LaTeX.

    Parameters
    ----------
    value : object
        What `Run.number` kept.
    spec : str
        Python's format; without one, integers with thousands and four digits of other numbers.

    Raises
    ------
    ValueError
        When the format does not fit the value.
    """
    if spec:
        text = format(value, spec)
    elif isinstance(value, bool) or not isinstance(value, int | float):
        text = str(value)
    else:
        text = f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
    # A hyphen is not a minus sign.
    return re.sub(r"^-(?=[\d.])", r"$-$", escaped(text))


def name_of(notebook: str, number: str, spec: str = "") -> str:
    """Name of a number's macro; a per cent sign would begin a comment."""
    return f"{notebook}/{number}" + (f":{spec.replace('%', 'percent')}" if spec else "")


def values(results: Mapping[str, Result], formats: set[tuple[str, str, str]]) -> dict[str, str]:
    """All macros: name to LaTeX text.

    Parameters
    ----------
    results : mapping of notebook name to Result
    formats : set of (notebook, number, format)
        Formats in which the prose shows a number; each is a macro of its own.

    Returns
    -------
    dict
        Of a claim and of a part its verdict ("C3", "C3.raw"), of a claim how many of its intervals
        say what ("C3/intervals"); of each group of a part estimate,
        low, high, n, level and verdict ("C3.raw/BERT-SimCSE/low"); of a notebook its numbers
        ("theory/coverage/k"), of a table each ("theory/effective_dimension/table.simcse.PR").

    Raises
    ------
    ValueError
        When a format names a number that the run did not keep, or two macros have one name.
    """
    evidence = [item for result in results.values() for item in result.claims]
    found: dict[str, str] = {}
    for claim in load_claims():
        found[claim.id] = claim_verdict(claim, evidence)
        found[f"{claim.id}/intervals"] = tally(claim, evidence) or "none"
        for part in claim.parts:
            found[part.id] = part_verdict(part, evidence)
    for item in evidence:
        base = f"{item.id}/{slug(item.group)}"
        if f"{base}/n" in found:
            raise ValueError(f"two groups of {item.id} would be \\crlib{{{base}}}: {item.group}")
        for name, number in (("estimate", item.estimate), ("low", item.ci_low),
                             ("high", item.ci_high)):  # fmt: skip
            found[f"{base}/{name}"] = shown(number, ".3g")
        found[f"{base}/n"] = shown(item.n)
        found[f"{base}/level"] = shown(100 * item.level, ".0f") + r"\%"
        found[f"{base}/verdict"] = item.verdict
    for notebook, result in results.items():
        for name, value in numbers_of(result).items():
            macro = name_of(notebook, UNSAFE.sub("-", name))
            if macro in found:
                raise ValueError(f"two numbers of {notebook} would be \\crlib{{{macro}}}: {name}")
            found[macro] = shown(value)
    for notebook, name, spec in sorted(formats):
        numbers = results[notebook].numbers
        if name not in numbers:
            raise ValueError(f"{notebook} shows {name!r}, which its run did not keep")
        try:
            found[name_of(notebook, name, spec)] = shown(numbers[name], spec)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{notebook} shows {name!r} as {spec!r}: {error}") from error
    return found


def macros_tex(macros: Mapping[str, str], *, profile: str, commit: str, date: str) -> str:
    r"""The file macros.tex: a \crlibset{name}{text} a line, sorted as the claims and pages are."""
    lines = [rf"\crlibset{{{name}}}{{{text}}}" for name, text in macros.items()]
    return HEAD.format(profile=profile, commit=commit, date=date) + "\n".join(lines) + "\n"
