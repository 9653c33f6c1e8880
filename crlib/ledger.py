"""The ledger shown: one banner for a page, one table for the book, text for a terminal."""

from collections.abc import Iterable, Mapping
from html import escape

from crlib import provenance
from crlib.claims import (
    Claim,
    Evidence,
    Part,
    Result,
    claim_verdict,
    load_claims,
    part_verdict,
    tally,
)


class Html:
    """HTML for a notebook, with a plain-text form for a terminal and for PDF."""

    def __init__(self, html: str, text: str) -> None:
        self.html, self.text = html, text

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


def badge(verdict: str) -> str:
    """A verdict as a coloured label; the word itself is shown, colour only repeats it."""
    return f'<span class="verdict verdict-{verdict.replace(" ", "-")}">{escape(verdict)}</span>'


def claim_badge(claim: Claim, evidence: Iterable[Evidence]) -> str:
    """A claim's label, what a mixed one consists of, and the parts that it was judged without."""
    items = tuple(evidence)
    verdict = claim_verdict(claim, items)
    run = {item.id for item in items}
    left = [part.id for part in claim.parts if part.id not in run]
    notes = [tally(claim, items)] if verdict == "mixed" else []
    if left and len(left) < len(claim.parts):
        notes.append(f"without {', '.join(left)}: not run")
    if not notes:
        return badge(verdict)
    return f'{badge(verdict)} <small class="verdict-notes">{escape("; ".join(notes))}</small>'


def interval_text(item: Evidence) -> str:
    """Estimate and interval, as "0.41 [0.38, 0.45]"."""
    return f"{item.estimate:.3g} [{item.ci_low:.3g}, {item.ci_high:.3g}]"


def _part_rows(part: Part, evidence: Iterable[Evidence]) -> str:
    items = [item for item in evidence if item.id == part.id]
    verdict = part_verdict(part, items)
    head = (
        f'<tr class="part"><th scope="row">{escape(part.id)}</th>'
        f"<td>{escape(part.statement)} <em>Rule: {escape(part.statistic)}; "
        f"{escape(str(part.rule))}.</em></td><td>{badge(verdict)}</td></tr>"
    )
    if not items:
        note = escape(part.not_run or "no run of this part in this profile")
        return head + f'<tr><td></td><td colspan="2">{note}</td></tr>'
    return head + "".join(
        f"<tr><td></td><td>{escape(item.group)}: <strong>{interval_text(item)}</strong> "
        f"({item.level:.0%} interval, n = {item.n:,} {escape(item.unit)}s)</td>"
        f"<td>{badge(item.verdict)}</td></tr>"
        for item in items
    )


def banner(claims: Iterable[Claim], evidence: Iterable[Evidence]) -> Html:
    """The banner of a page: each claim's verdict with the intervals behind it.

    Parameters
    ----------
    claims : iterable of Claim
        The claims that the page tests.
    evidence : iterable of Evidence
        What was measured.

    Returns
    -------
    Html
        All text escaped.
    """
    items = tuple(evidence)
    blocks, lines = [], []
    for claim in claims:
        verdict = claim_verdict(claim, items)
        rows = "".join(_part_rows(part, items) for part in claim.parts)
        blocks.append(
            f'<div class="claim-banner" data-claim="{escape(claim.id)}" '
            f'data-verdict="{verdict}"><p><strong>{escape(claim.id)}</strong> '
            f'{claim_badge(claim, items)} {escape(claim.title)}</p><div class="table-scroll">'
            f"<table>{rows}</table></div></div>"
        )
        lines.append(f"{claim.id}: {verdict}")
    return Html("".join(blocks), "\n".join(lines))


def provenance_table(result: Result) -> Html:
    """What a run was made from, as a table for the foot of its page."""
    record = result.provenance
    rows = {
        "commit": record["commit"] + (", with changes" if record.get("dirty") else ""),
        "computed": record.get("date", "at an unknown time"),
        "profile": result.parameters["profile"],
        "parameters": ", ".join(f"{k} = {v}" for k, v in result.parameters.items()),
        "inputs (SHA-256)": "; ".join(
            f"{name}: {digest[:16]}" for name, digest in record.get("inputs", {}).items()
        ),
        "versions": ", ".join(f"{k} {v}" for k, v in record["versions"].items()),
        "machine": provenance.machine_words(record["machine"]),
        "wall time": f"{record['seconds']} s, {record['threads']} thread(s)",
    }
    cells = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(str(value))}</td></tr>'
        for name, value in rows.items()
    )
    html = f'<div class="table-scroll"><table class="provenance">{cells}</table></div>'
    return Html(html, "\n".join(f"{name}: {value}" for name, value in rows.items()))


def _evidence_of(results: Mapping[str, Result]) -> tuple[Evidence, ...]:
    return tuple(item for result in results.values() for item in result.claims)


def _page(claim: Claim, results: Mapping[str, Result], prefix: str) -> str:
    if claim.notebook not in results:
        return f"**{claim.id}** {claim.title}"
    return f"**{claim.id}** [{claim.title}]({prefix}{claim.notebook})"


def table_markdown(
    results: Mapping[str, Result], claims: Iterable[Claim] | None = None, prefix: str = ""
) -> str:
    """The front page's table in MyST Markdown: claim, the paper's expectation, verdict.

    Parameters
    ----------
    results : mapping of str to Result
        By notebook, as `crlib.claims.read_results` gives them.
    claims : iterable of Claim, optional
        All of the ledger by default.
    prefix : str
        Put before a notebook's name to make a link.

    Returns
    -------
    str
        A Markdown table.
    """
    evidence = _evidence_of(results)
    lines = ["| Claim | What the paper leads one to expect | Verdict |", "|---|---|---|"]
    for claim in claims or load_claims():
        label = claim_badge(claim, evidence)
        lines.append(f"| {_page(claim, results, prefix)} | {claim.paper} | {label} |")
    return "\n".join(lines) + "\n"


def ledger_markdown(
    results: Mapping[str, Result], claims: Iterable[Claim] | None = None, prefix: str = ""
) -> str:
    """The whole ledger in MyST Markdown: a section a claim, with rules and intervals."""
    evidence = _evidence_of(results)
    sections = []
    for claim in claims or load_claims():
        html = banner([claim], evidence).html
        sections.append(
            f"## {claim.id}: {claim.title}\n\n{claim.statement}\n\n"
            f"*The paper:* {claim.paper}. *Tested in:* {_page(claim, results, prefix)}.\n\n"
            f"```{{raw}} html\n{html}\n```\n"
        )
    return "\n".join(sections)


def rows(
    results: Mapping[str, Result], claims: Iterable[Claim] | None = None
) -> list[dict[str, str]]:
    """The ledger as plain rows: id, title, verdict, and each part's intervals as text."""
    evidence = _evidence_of(results)
    found = []
    for claim in claims or load_claims():
        for part in claim.parts:
            items = [item for item in evidence if item.id == part.id]
            found.append(
                {
                    "claim": claim.id,
                    "verdict": claim_verdict(claim, evidence),
                    "part": part.id,
                    "part_verdict": part_verdict(part, items),
                    "evidence": "; ".join(f"{i.group} {interval_text(i)}" for i in items),
                }
            )
    return found
