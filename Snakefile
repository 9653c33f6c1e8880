# The way of the data, one direction: catalogue -> vectors -> notebooks -> ledger -> book.
#
#   snakemake -c2 --config profile=laptop
#
# `make book` calls this with a plain report of its progress. What is stale is rebuilt and nothing
# else: a notebook depends on its own source, parameters and claims, on the vectors it reads, and
# on those modules of crlib that it imports.
import sys

from crlib.book import pictures, plan, stage
from crlib.settings import BUILD, ROOT

PROFILE = config.get("profile", "laptop")
NOTEBOOKS = plan.write_requests(PROFILE)
HERE = f"{BUILD}/{PROFILE}"
ANONYMOUS = bool(int(config.get("anonymous", 0)))
BOOK = stage.html_folder(PROFILE, anonymous=ANONYMOUS)
STEP = f"{sys.executable} -m crlib.book.steps"
LOCK = str(ROOT / "requirements.lock")

# Texts and models that the notebooks ask for, each made once.
PACKAGES = {plan.data_key(values): values.get("packages", "all") for values in NOTEBOOKS.values()}
TEXTS = {plan.vectors_key(values): values for values in NOTEBOOKS.values()}


def vectors_of(notebook):
    values = NOTEBOOKS[notebook]
    key = plan.vectors_key(values)
    return [f"{BUILD}/markers/vectors/{key}/{batch}.json" for batch in plan.batches_of(notebook, values)]


def catalogue_of(values):
    return f"{BUILD}/markers/catalogue/{plan.data_key(values)}.json"


def files(paths):
    return [str(path) for path in paths]


def either(names):
    return "|".join(names) or "(?!)"  # which matches nothing


wildcard_constraints:
    notebook="|".join(NOTEBOOKS),
    texts="|".join(TEXTS),
    data="|".join(PACKAGES),


rule all:
    input:
        f"{BOOK}/index.html",


rule catalogue:
    input:
        files(plan.closure(["crlib.data"])),
        LOCK,
    output:
        f"{BUILD}/markers/catalogue/{{data}}.json",
    log:
        f"{HERE}/logs/catalogue-{{data}}.log",
    message:
        "action space: {wildcards.data}"
    params:
        packages=lambda wildcards: PACKAGES[wildcards.data],
    shell:
        "{STEP} catalogue {params.packages:q} {output:q} > {log:q} 2>&1"


rule vectors:
    input:
        files(plan.closure(["crlib.extractors", "crlib.data"])),
        lambda wildcards: catalogue_of(TEXTS[wildcards.texts]),
        lambda wildcards: files(
            path
            for model in plan.models_in(wildcards.batch)
            for path in sorted((ROOT / "models" / model).glob("*"))
        ),
    output:
        f"{BUILD}/markers/vectors/{{texts}}/{{batch}}.json",
    log:
        f"{HERE}/logs/vectors/{{texts}}/{{batch}}.log",
    message:
        "vectors: {wildcards.batch}"
    params:
        models=lambda wildcards: ",".join(plan.models_in(wildcards.batch)),
        packages=lambda wildcards: TEXTS[wildcards.texts].get("packages", "all"),
        limit=lambda wildcards: TEXTS[wildcards.texts].get("limit", plan.DEFAULT_LIMIT),
        seed=lambda wildcards: TEXTS[wildcards.texts].get("seed", 0),
    shell:
        "{STEP} vectors {params.models:q} {params.packages:q} {params.limit} {params.seed}"
        " {output:q} > {log:q} 2>&1"


rule notebook:
    wildcard_constraints:
        notebook=either(name for name in NOTEBOOKS if name not in plan.LONG),
    input:
        f"{ROOT}/notebooks/{{notebook}}.ipynb",
        f"{HERE}/requests/{{notebook}}.json",
        lambda wildcards: catalogue_of(NOTEBOOKS[wildcards.notebook]),
        lambda wildcards: vectors_of(wildcards.notebook),
        lambda wildcards: files(
            plan.notebook_sources(ROOT / "notebooks" / f"{wildcards.notebook}.ipynb")
        ),
        LOCK,
    output:
        page=f"{HERE}/source/book/{{notebook}}.ipynb",
        result=f"{BUILD}/results/{PROFILE}/{{notebook}}/result.json",
    log:
        f"{HERE}/logs/{{notebook}}.log",
    message:
        "notebook: {wildcards.notebook}"
    params:
        request=f"{HERE}/requests/{{notebook}}.json",
    shell:
        "{STEP} notebook {params.request:q} {output.page:q} > {log:q} 2>&1"


# Minutes each: they go first, so that no core waits for the last of them at the end.
use rule notebook as long_notebook with:
    wildcard_constraints:
        notebook=either(name for name in NOTEBOOKS if name in plan.LONG),
    priority: 10


# Needs a browser; without one the pages offer each figure's data, and the browser's own picture.
rule pictures:
    input:
        f"{BUILD}/results/{PROFILE}/{{notebook}}/result.json",
        f"{ROOT}/crlib/book/pictures.py",
        LOCK,
    output:
        f"{HERE}/pictures/{{notebook}}.json",
    log:
        f"{HERE}/logs/pictures/{{notebook}}.log",
    message:
        "figures as files: {wildcards.notebook}"
    params:
        browser=bool(pictures.browser()),
    shell:
        "{STEP} pictures {PROFILE:q} {wildcards.notebook:q} {output:q} > {log:q} 2>&1"


rule ledger:
    input:
        expand(f"{BUILD}/results/{PROFILE}/{{notebook}}/result.json", notebook=NOTEBOOKS),
        files(plan.closure(["crlib.ledger"])),
        f"{ROOT}/book/claims.yml",
    output:
        expand(f"{HERE}/source/book/_generated/{{name}}.md", name=["verdicts", "ledger", "profile", "refusal"]),
    log:
        f"{HERE}/logs/ledger.log",
    message:
        "ledger of claims"
    params:
        notebooks=",".join(NOTEBOOKS),
    shell:
        "{STEP} ledger {PROFILE:q} {params.notebooks:q} {HERE:q}/source/book/_generated > {log:q} 2>&1"


rule speed:
    input:
        f"{ROOT}/benchmarks/report.py",
        files(sorted((ROOT / "benchmarks" / "results").glob("*.json"))),
        files(sorted((BUILD / "bench").glob("*.json"))),
    output:
        f"{HERE}/source/book/_generated/benchmarks.md",
    log:
        f"{HERE}/logs/speed.log",
    message:
        "tables of the benchmarks"
    shell:
        "(cd {ROOT:q} && {sys.executable:q} -m benchmarks.report --out {output:q}) > {log:q} 2>&1"


rule book:
    input:
        expand(f"{HERE}/source/book/{{notebook}}.ipynb", notebook=NOTEBOOKS),
        expand(f"{HERE}/pictures/{{notebook}}.json", notebook=NOTEBOOKS),
        rules.ledger.output,
        rules.speed.output,
        files(stage.page_sources()),
        files(stage.own_sources()),
        LOCK,
    output:
        f"{BOOK}/index.html",
    log:
        f"{HERE}/logs/{'anonymous-' if ANONYMOUS else ''}book.log",
    message:
        "static book"
    params:
        notebooks=",".join(NOTEBOOKS),
        anonymous="--anonymous" if ANONYMOUS else "--no-anonymous",
    shell:
        "{STEP} book {PROFILE:q} {params.notebooks:q} {params.anonymous} > {log:q} 2>&1"
