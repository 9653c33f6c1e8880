"""Solutions read as schemas and replayed: by hand, against sympy, on GSM8K as it is."""

import re
from fractions import Fraction

import numpy as np
import pytest
import sympy

from crlib.data.calculations import StepError, infix
from crlib.data.mathematics import reference_chain, replay, step_library
from crlib.data.problems import Problem, load_problems
from crlib.data.quantities import quantities
from crlib.data.schemas import Needs, describe, execute, familiar, linked, ordered


def solved(question, lines, answer, name="p"):
    """A problem from lines "sentence <<calculation>>"."""
    mark = re.compile(r"<<(.*?)>>")
    return Problem(
        name, question, tuple(mark.sub("", line).strip() for line in lines), answer,
        calculations=tuple(tuple(mark.findall(line)) for line in lines),
    )  # fmt: skip


def schemas_of(question, lines, answer="0", **options):
    return [infix(schema) for _, schema in replay(solved(question, lines, answer), **options).steps]


CLIPS = solved(
    "Natalia sold 48 clips in April and half as many in May. How many in both?",
    ["In May 48/2 = <<48/2=24>>24.", "Both: <<48+24=72>>72."], "72",
)  # fmt: skip


def test_a_step_applies_to_another_problem_by_the_places_of_its_quantities():
    done = replay(CLIPS)
    assert (done.reason, done.results) == ("", [24, 72])
    assert [infix(schema) for _, schema in done.steps] == ["q1 / 2", "q1 + r1"]
    other = quantities("Of 30 people 12 leave.")
    first = execute(done.steps[0][1], other, [])
    assert (first, execute(done.steps[1][1], other, [first])) == (15, 45)


@pytest.mark.parametrize(
    ("question", "lines", "expected"),
    [
        # quantities that nothing has used come first, results before quantities
        ("3 and 3", ["<<3+3=6>>"], ["q1 + q2"]),
        ("3 and 3", ["<<3*2=6>>", "<<6+3=9>>"], ["2 * q1", "q2 + r1"]),
        ("2 and 4", ["<<2+2=4>>", "<<4*4=16>>"], ["q1 + q1", "q2 * r1"]),
        ("5, 9", ["<<5+9=14>>", "<<14-5=9>>", "<<9*14=126>>"], ["q1 + q2", "r1 - q1", "r1 * r2"]),
        # 80%, however it is written
        ("80% of 50", ["<<80/100*50=40>>"], ["p1 * q2"]),
        ("80% of 50", ["<<.8*50=40>>"], ["p1 * q2"]),
        ("80% of 50", ["<<50*80/100=40>>"], ["p1 * q2"]),
        ("80% of 50", ["<<80*50=4000>>", "<<4000/100=40>>"], ["q1 * q2", "r1 / 100"]),
        ("50 and 80%", ["<<50/80/100=0.00625>>"], ["q1 / q2 / 100"]),
        # a fraction of the text, or two of its numbers
        ("3/4 of 20", ["<<3/4*20=15>>"], ["q1 * q2"]),
        ("3 pies for 4 people", ["<<3/4=0.75>>"], ["q1 / q2"]),
        ("3/4 of 20", ["<<20/4=5>>", "<<5*3=15>>"], ["q2 / 4", "3 * r1"]),
        # constants, and both sides of sums and products in one order
        ("7 weeks", ["<<7*7=49>>"], ["q1 * q1"]),
        ("2 and 8", ["<<8*2=16>>"], ["q1 * q2"]),
        ("2 and 8", ["<<8-(2+1)=5>>"], ["q2 - (1 + q1)"]),
        # a step without annotation counts where it writes one calculation out
        ("24 and 6", ["Carlos has 24/6=4 digits.", "Sam has 4+6=10."], ["q1 / q2", "q2 + r1"]),
        ("24 and 6", ["Let x be Sam's.", "x = 5", "<<24/6=4>>"], ["q1 / q2"]),
    ],
)
def test_numbers_are_bound_by_the_stated_rule(question, lines, expected):
    assert schemas_of(question, lines) == expected


@pytest.mark.parametrize(
    ("lines", "answer", "reason"),
    [
        (["<<48/2=24>>"], "24", ""),
        (["<<48/2=24>>"], "24.0", ""),
        (["no number"], "24", "no step calculates"),
        ([], "24", "no step calculates"),
        (["<<48/2=24>>"], "25", "no step calculates the answer"),
        (["<<48/2=24>>", "<<24+1=25>>"], "24", "answer is an earlier result"),
        (["<<48/2=24>>"], "\\frac{1}{2}", "result is no number"),
        (["<<48/2=25>>"], "25", "calculation does not hold exactly"),
        (["<<10/3=3.33>>"], "3.33", "calculation does not hold exactly"),
        (["<<48/2>>"], "24", "calculation has not one sign of equality"),
        (["<<48=48=48>>"], "48", "calculation has not one sign of equality"),
        (["<<48/0=0>>"], "0", "division by zero"),
        (["<<48//2=24>>"], "24", "operators and numbers do not fit together"),
        (["<<48/=24>>"], "24", "operators and numbers do not fit together"),
        (["<<48/)=24>>"], "24", "brackets do not fit together"),
        (["<<>>"], "24", "calculation has not one sign of equality"),
        (["<<=24>>"], "24", "empty calculation"),
        (["<<48+x=24>>"], "24", "a sign that is no number, + - * / or bracket"),
        (["<<48/2=24>> and <<24*2=48>>"], "48", "several calculations in one step"),
        (["<<99999999*99999999=9999999800000001>>"], "1", "too many digits"),
        (["<<" + "(" * 9999 + "=1>>"], "1", "calculation too long"),
    ],
)
def test_what_does_not_replay_is_named(lines, answer, reason):
    assert replay(solved("He has 48 of them.", lines, answer)).reason == reason


def test_strictly_no_number_comes_from_nowhere():
    lines = ["<<48*17=816>>"]
    assert schemas_of("48 boxes", lines) == ["17 * q1"]
    assert replay(solved("48", lines, "816"), strict=True).reason == (
        "a number that comes from nowhere"
    )
    assert replay(solved("48", ["<<7*24=168>>"], "168"), strict=True).reason == (
        "a step of constants alone"
    )
    assert schemas_of("48", ["<<48*60=2880>>"], strict=True) == ["60 * q1"]


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (("q3", "q1", "+"), "no such quantity"),
        (("r2",), "no such earlier result"),
        (("p1",), "the quantity is no percentage"),
        (("p9",), "no such quantity"),
        (("q1", "0", "/"), "division by zero"),
        (("q1", "q2", "-", "q1", "q2", "-", "/"), None),
    ],
)
def test_a_step_that_cannot_be_applied_says_why(schema, reason):
    numbers, results = quantities("5 and 20%"), [Fraction(7)]
    if reason is None:
        assert execute(schema, numbers, results) == 1
    else:
        with pytest.raises(StepError, match=reason):
            execute(schema, numbers, results)
    assert execute(("q1", "p2", "*", "r1", "+"), numbers, results) == 8
    with pytest.raises(StepError, match="no such quantity"):
        execute(("q1",), quantities(""), [])


def test_needs_are_what_execution_asks_for():
    rng = np.random.default_rng(0)
    operands = ["q1", "q2", "q4", "p1", "p3", "r1", "r3", "2"]
    schemas = [(*rng.choice(operands, 2).tolist(), str(rng.choice(["+", "*"]))) for _ in range(60)]
    texts = ["", "5", "5%", "5% and 2 and 7%", "1 2 3 4 5", "5% 6% 7% 8% 9%"]
    for text in texts:
        numbers = quantities(text)
        for n_results in range(4):
            met = Needs(schemas).met(numbers, n_results)
            for schema, meets in zip(schemas, met, strict=True):
                try:
                    execute(schema, numbers, [Fraction(1)] * n_results)
                    works = True
                except StepError:
                    works = False
                assert works == meets, (text, n_results, schema)


def test_schemas_in_words_and_in_one_order():
    assert describe(("q1", "p2", "*", "r1", "r2", "+", "/")) == (
        "number 1 times percentage number 2 divided by (result plus result 2 back)"
    )
    assert describe(("q1", "neg", "1/2", "-")) == "minus number 1 minus 1/2"
    assert ordered(("r1", "q1", "*")) == ordered(("q1", "r1", "*")) == ("q1", "r1", "*")
    assert ordered(("r1", "q1", "-")) == ("r1", "q1", "-")
    assert (familiar(("17", "q1", "*")), familiar(("60", "q1", "*"))) == (False, True)
    assert (linked(("60", "7", "*")), linked(("60", "r1", "*"))) == (False, True)


def test_a_library_holds_distinct_steps_and_the_chains_that_replay():
    twin = solved(CLIPS.question + " ", ["In May 48/2 = <<48/2=24>>24."], "24", "twin")
    broken = solved("3", ["Twice: <<3*2=6>>6.", "<<6+1=8>>8."], "8", "broken")
    library = step_library([CLIPS, twin, broken])
    assert library.texts == ("In May 48/2 = 24.", "Both: 72.", "Twice: 6.")
    assert library.chains == {"p": (0, 1), "twin": (0,)}
    assert library.reasons == {"calculation does not hold exactly": ("broken",)}
    assert [library.schemas[n] for n in library.schema_of] == [
        ("q1", "2", "/"), ("q1", "r1", "+"), ("2", "q1", "*")
    ]  # fmt: skip
    assert library.described()[0] == "In May 48/2 = 24. (number 1 divided by 2)"
    assert (library.counts["problems"], library.counts["problems that replay"]) == (3, 2)
    # a problem that the library was not made of is replayed by others' steps, if at all
    new = solved("10 and 4", ["Halve: <<10/2=5>>5.", "Sum: <<10+5=15>>15."], "15", "new")
    assert reference_chain(library, new) == (0, 1)
    assert reference_chain(library, solved("3", ["<<3-1=2>>2"], "2", "other")) == ()
    assert reference_chain(library, broken) == ()


def test_a_library_of_nothing_and_repeated_ids_are_refused():
    with pytest.raises(ValueError, match="no step of 1 problems can be read"):
        step_library([solved("", ["x"], "1")])
    with pytest.raises(ValueError, match="no step of 0 problems"):
        step_library([])
    with pytest.raises(ValueError, match="the same id"):
        step_library([CLIPS, CLIPS])
    with pytest.raises(ValueError, match="problem 'x' has 2 steps and 1 entries"):
        replay(Problem("x", "1", ("a", "b"), "1", calculations=(("1+1=2",),)))


def test_gsm8k_s_solutions_replay_to_the_published_answers(real):
    problems = load_problems("gsm8k").problems
    library = step_library(problems)
    failed = [name for names in library.reasons.values() for name in names]
    assert len(library.chains) + len(failed) == len(problems)
    assert len(library.chains) / len(problems) >= 0.95
    assert len(set(library.texts)) >= 20_000
    answers = {problem.id: problem.answer for problem in problems}
    numbers = {problem.id: quantities(problem.question) for problem in problems}
    # sympy works the chains out by itself, from the written schemas and the quantities
    for name in list(library.chains)[::50]:
        results = []
        for step in library.chains[name]:
            text = infix(library.schemas[library.schema_of[step]])
            known = {f"q{i}": q.value for i, q in enumerate(numbers[name], 1)}
            known |= {f"p{i}": q.value / 100 for i, q in enumerate(numbers[name], 1)}
            known |= {f"r{i}": value for i, value in enumerate(reversed(results), 1)}
            exact = re.sub(r"(?<!\w)\d+", lambda m: f"Integer({m[0]})", text)
            value = sympy.sympify(exact, locals={
                name: sympy.Rational(v.numerator, v.denominator) for name, v in known.items()
            })  # fmt: skip
            results.append(Fraction(int(value.p), int(value.q)))
        assert results[-1] == Fraction(answers[name]), name


def test_gsm8k_s_annotations_are_read_beside_the_sentences(real):
    problems = load_problems("gsm8k").problems
    assert problems[0].calculations == (("48/2=24",), ("48+24=72",))
    for problem in problems:
        assert len(problem.calculations) == len(problem.steps)
