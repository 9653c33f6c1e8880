"""Reference answers: against math-verify on real ones, and answers of every other kind."""

import threading
from fractions import Fraction

import pytest
from math_verify import parse, verify

from crlib.data.answers import read_answer
from crlib.data.problems import load_problems

F = Fraction


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("72", 72), ("-5", -5), ("1,234", 1234), ("0.15", F(3, 20)), (r"\frac{14}{3}", F(14, 3)),
        (r"-\frac12", F(-1, 2)), (r"2\frac{1}{2}", F(5, 2)), (r"90^\circ", 90),
        (r"\$18.90", F(189, 10)), (r"15\mbox{ cm}^2", 15),
        (r"11,\! 111,\! 111,\! 100", 11111111100),
        (r"\sqrt{16}", 4), ("2^{10}", 1024), (r"5.4 \text{ cents}", F(27, 5)), (r"10\%", F(1, 10)),
        (r"2^3\cdot3^2", 72),
    ],
)  # fmt: skip
def test_numbers_in_every_dress(text, value):
    answer = read_answer(text)
    assert answer.value == value
    assert answer.kind == ("whole number" if value == int(value) else "other rational number")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "not readable"),
        ("$$", "not readable"),
        ("\x00", "not readable"),
        (r"\sqrt{2}", "an irrational, complex or infinite number"),
        (r"12\pi", "an irrational, complex or infinite number"),
        ("6 - 5i", "an irrational, complex or infinite number"),
        (r"\frac{1}{0}", "an irrational, complex or infinite number"),
        (r"\infty", "an irrational, complex or infinite number"),
        ("-2,1", "several values, an interval or a matrix"),
        (r"(2,\infty)", "several values, an interval or a matrix"),
        (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", "several values, an interval or a matrix"),
        ("3x^2 - 5", "an expression with letters"),
        ("x^2+y^2+z^2", "an expression with letters"),
        (r"\text{Evelyn}", "a word or letter"),
        ("y = 2x + 3", "an equation or inequality"),
        ("52_8", "a numeral of another base"),
        ("9^{9^{9}}", "too large to work out"),
        (r"9^{9^9}", "too large to work out"),
        (r"2^{999\cdot999\cdot999}", "an irrational, complex or infinite number"),
        ("9^{999999999}", "too large to work out"),
        ("100000!", "too large to work out"),
        ("1" * 30, "too large to work out"),
        ("1" * 500, "too large to work out"),
        ("10^{20}", "too large to work out"),
    ],
)
@pytest.mark.timeout(60)
def test_what_is_no_rational_number_is_named(text, kind):
    assert read_answer(text).kind == kind
    assert read_answer(text).value is None


def test_it_reads_outside_of_the_main_thread_too():
    found = []
    thread = threading.Thread(target=lambda: found.append(read_answer(r"\frac{3}{4}")))
    thread.start()
    thread.join()
    assert found == [read_answer(r"\frac{3}{4}")]


def test_exact_comparison_agrees_with_math_verify_on_real_answers(real):
    problems = load_problems("math500", split="test").problems
    numeric = [
        (p.answer, a.value) for p in problems if (a := read_answer(p.answer)).value is not None
    ]
    assert len(numeric) > 250
    for text, value in numeric:
        gold = parse(f"${text}$")
        assert verify(gold, parse(f"${value.numerator}/{value.denominator}$")), text
        wrong = value + 1
        assert not verify(gold, parse(f"${wrong.numerator}/{wrong.denominator}$")), text


def test_gsm8k_s_answers_are_whole_numbers(real):
    for problem in load_problems("gsm8k", split="test").problems:
        assert read_answer(problem.answer).value == int(problem.answer)
