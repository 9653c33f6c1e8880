# The way of the data, one direction: catalogue -> vectors -> notebooks -> ledger -> book.
#
#   snakemake -c2 --config profile=laptop                         the book of a profile
#   snakemake -c2 --config profile=laptop sweep=sweeps/atlas.yaml  every point of a grid, no book
#
# `make book` and `make sweep` call this with a plain report of its progress. What is stale is
# rebuilt and nothing else: a notebook depends on its own source, parameters and claims, on the
# vectors it reads, and on those modules of crlib that it imports.
import re
import shlex
import sys
from pathlib import Path

from crlib.book import pictures, plan, stage
from crlib.extractors import HUB_MODELS
from crlib.settings import BUILD, ROOT
from crlib.sweep import grid

PROFILE = config.get("profile", "laptop")
# A run is a notebook with parameters: one a notebook for a book, one a point for a sweep.
if "sweep" in config:
    GRID = grid.read_grid(Path(config["sweep"]))
    POINTS = grid.write_requests(GRID)
    RUNS = {name: dict(point.parameters) for name, point in POINTS.items()}
    SOURCE = {name: point.notebook for name, point in POINTS.items()}
    HERE, RESULTS, SHARDS = str(GRID.folder), f"{GRID.folder}/results", GRID.shards
else:
    RUNS = plan.write_requests(PROFILE)
    SOURCE = {name: name for name in RUNS}
    HERE, RESULTS, SHARDS = f"{BUILD}/{PROFILE}", f"{BUILD}/results/{PROFILE}", 1
ANONYMOUS = bool(int(config.get("anonymous", 0)))
BOOK = stage.html_folder(PROFILE, anonymous=ANONYMOUS)
STEP = f"{shlex.quote(sys.executable)} -m crlib.book.steps"
LOCK = str(ROOT / "requirements.lock")

# Texts and models that the runs ask for, each made once.
PACKAGES = {plan.data_key(values): values.get("packages", "all") for values in RUNS.values()}
TEXTS = {plan.vectors_key(values): values for values in RUNS.values()}


def vectors_of(run):
    values = RUNS[run]
    key = plan.vectors_key(values)
    return [
        f"{BUILD}/markers/vectors/{key}/{batch}.json"
        for batch in plan.batches_of(SOURCE[run], values)
    ]


def shards_of(marker):
    """Jobs that embed a part of the texts each; none where the vectors are there."""
    texts, batch = Path(marker).parent.name, Path(marker).stem
    inputs = [*ENCODING, catalogue_of(TEXTS[texts]), *files(files_of_models(batch))]
    if plan.up_to_date(marker, inputs):
        return []
    return [f"{HERE}/shards/{texts}/{batch}-{i}-of-{SHARDS}.json" for i in range(SHARDS)]


def files_of_models(batch):
    folders = [ROOT / "models" / model for model in plan.models_in(batch)]
    return [path for folder in folders for path in sorted(folder.glob("*"))]


def model_files(wildcards):
    return files(files_of_models(wildcards.batch))


def catalogue_of(values):
    return f"{BUILD}/markers/catalogue/{plan.data_key(values)}.json"


def files(paths):
    return [str(path) for path in paths]


ENCODING = files(plan.closure(["crlib.extractors", "crlib.data"]))


def either(names):
    return "|".join(map(re.escape, names)) or "(?!)"  # which matches nothing


wildcard_constraints:
    run=either(RUNS),
    texts=either(TEXTS),
    data=either(PACKAGES),
    batch="[a-z0-9-]+?",
    shard=r"\d+",


rule all:
    input:
        f"{BOOK}/index.html" if "sweep" not in config else expand(f"{RESULTS}/{{run}}/result.json", run=RUNS),


# Asked for by itself, before `all`: see crlib.sweep.make.targets.
rule shards:
    input:
        [part for marker in sorted({m for run in RUNS for m in vectors_of(run)}) for part in shards_of(marker)],


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
        ENCODING,
        lambda wildcards: catalogue_of(TEXTS[wildcards.texts]),
        model_files,
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


# The paper's encoders, under a name of their own: a cluster's profile gives it an accelerator.
use rule vectors as hub_vectors with:
    wildcard_constraints:
        batch=either(HUB_MODELS),


# A part of the texts each, into the one store; `vectors` then finds them there.
use rule vectors as vector_shard with:
    input:
        ENCODING,
        lambda wildcards: catalogue_of(TEXTS[wildcards.texts]),
        model_files,
    output:
        f"{HERE}/shards/{{texts}}/{{batch}}-{{shard}}-of-{SHARDS}.json",
    log:
        f"{HERE}/logs/vectors/{{texts}}/{{batch}}-{{shard}}-of-{SHARDS}.log",
    message:
        "vectors: {wildcards.batch}, part {wildcards.shard}"
    params:
        models=lambda wildcards: ",".join(plan.models_in(wildcards.batch)),
        packages=lambda wildcards: TEXTS[wildcards.texts].get("packages", "all"),
        limit=lambda wildcards: TEXTS[wildcards.texts].get("limit", plan.DEFAULT_LIMIT),
        seed=lambda wildcards: f'{TEXTS[wildcards.texts].get("seed", 0)} --shard {wildcards.shard} --shards {SHARDS}',


use rule vector_shard as hub_shard with:
    wildcard_constraints:
        batch=either(HUB_MODELS),


ruleorder: hub_vectors > vectors
ruleorder: hub_shard > vector_shard


rule notebook:
    wildcard_constraints:
        run=either(name for name in RUNS if SOURCE[name] not in plan.LONG),
    input:
        lambda wildcards: f"{ROOT}/notebooks/{SOURCE[wildcards.run]}.ipynb",
        f"{HERE}/requests/{{run}}.json",
        lambda wildcards: catalogue_of(RUNS[wildcards.run]),
        lambda wildcards: vectors_of(wildcards.run),
        lambda wildcards: files(plan.tables_of(SOURCE[wildcards.run])),
        lambda wildcards: files(plan.own_files(RUNS[wildcards.run])),
        lambda wildcards: files(
            plan.notebook_sources(ROOT / "notebooks" / f"{SOURCE[wildcards.run]}.ipynb")
        ),
        LOCK,
    output:
        page=f"{HERE}/source/book/{{run}}.ipynb",
        result=f"{RESULTS}/{{run}}/result.json",
    log:
        f"{HERE}/logs/{{run}}.log",
    message:
        "notebook: {wildcards.run}"
    params:
        request=f"{HERE}/requests/{{run}}.json",
    resources:
        attempt=lambda wildcards, attempt: attempt,
    shell:
        "{STEP} notebook {params.request:q} {output.page:q} --attempt {resources.attempt}"
        " > {log:q} 2>&1"


# Minutes each: they go first, so that no core waits for the last of them at the end.
use rule notebook as long_notebook with:
    wildcard_constraints:
        run=either(name for name in RUNS if SOURCE[name] in plan.LONG),
    priority: 10


# Needs a browser; without one the pages offer each figure's data, and the browser's own picture.
rule pictures:
    input:
        f"{RESULTS}/{{notebook}}/result.json",
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
        expand(f"{RESULTS}/{{notebook}}/result.json", notebook=RUNS),
        files(plan.closure(["crlib.ledger", "crlib.sweep.on_paper"])),
        f"{ROOT}/book/claims.yml",
    output:
        expand(f"{HERE}/source/book/_generated/{{name}}.md", name=["verdicts", "ledger", "profile", "refusal", "hundred_million"]),
    log:
        f"{HERE}/logs/ledger.log",
    message:
        "ledger of claims"
    params:
        notebooks=",".join(RUNS),
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
        expand(f"{HERE}/source/book/{{notebook}}.ipynb", notebook=RUNS),
        expand(f"{HERE}/pictures/{{notebook}}.json", notebook=RUNS),
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
        notebooks=",".join(RUNS),
        anonymous="--anonymous" if ANONYMOUS else "--no-anonymous",
    shell:
        "{STEP} book {PROFILE:q} {params.notebooks:q} {params.anonymous} > {log:q} 2>&1"
