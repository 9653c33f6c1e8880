"""Ten families of word problems as data: what is told, what is computed, and what must hold.

A problem of k steps has the facts of a family's first k stages and asks the question of the k-th.
In a stage's texts " | " parts other wordings; {N} and {M} are names, {A} and {B} things, small
letters quantities that are drawn, {calc} and {x} the calculation in numbers and its result.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Draws = dict[str, tuple[int, int]]


@dataclass(frozen=True)
class Stage:
    """One step of a family.

    Attributes
    ----------
    formula : str
        Calculation of this stage's result, x1 of the first, over drawn quantities and results.
    holds : str
        An equation that the result satisfies, put as the text puts it: the check of the formula.
    says : str
        The step's sentence.
    facts : tuple of str
        What the text tells for it, a sentence each.
    draws : dict of str to (int, int)
        Smallest and largest value of each quantity.
    divides : dict of str to str
        Quantities that must divide a result, so that no one buys half a box.
    asks : str
        The question, where a problem may end here.
    """

    formula: str
    holds: str
    says: str
    facts: tuple[str, ...] = ()
    draws: Draws = field(default_factory=dict)
    divides: dict[str, str] = field(default_factory=dict)
    asks: str = ""


NAMES = ("Ada", "Amir", "Bea", "Boris", "Carla", "Chen", "Dana", "Diego", "Elif", "Emil", "Fatma",
         "Finn", "Grace", "Hana", "Hugo", "Ines", "Ivan", "Jonas", "Kaya", "Kofi", "Lea", "Luca",
         "Maya", "Milan", "Nadia", "Noah", "Olga", "Omar", "Paula", "Petra", "Quinn", "Rosa",
         "Samir", "Tara", "Tom", "Uma", "Vera", "Willa", "Yuki", "Zoe")  # fmt: skip
THINGS = ("apples", "badges", "balls", "beads", "books", "bottles", "bricks", "brushes", "candles",
          "cards", "chairs", "coins", "cups", "dolls", "envelopes", "flags", "folders", "hats",
          "jars", "kites", "lamps", "magnets", "marbles", "mugs", "notebooks", "pencils", "plates",
          "posters", "ribbons", "ropes", "rulers", "scarves", "shells", "spoons", "stamps",
          "stickers", "tiles", "towels", "toys", "vases")  # fmt: skip
DISTRACTORS = (
    "It is {z} degrees outside.",
    "{M} lives at house number {z}.",
    "The nearest bus stop is {z} metres away.",
    "A film that evening lasts {z} minutes.",
    "{M} owns {z} {B}, which nobody needs today.",
    "The town has {z} street lamps.",
)

SHOPPING = (
    Stage("n*p", "x1/n = p", "The {A} cost {calc} = {x} dollars. | For the {A} {N} pays "
          "{calc} = {x} dollars.",
          ("{N} buys {n} {A} at ${p} each. | {N} takes {n} {A}, each for ${p}.",),
          {"n": (2, 20), "p": (2, 30)}),
    Stage("m*s", "x2/s = m", "The {B} cost {calc} = {x} dollars. | {N} spends {calc} = {x} dollars "
          "on {B}.",
          ("{N} wants {m} {B} for ${s} each. | The list also has {m} {B} at ${s} each.",),
          {"m": (2, 20), "s": (2, 30)}),
    Stage("x1+x2", "x3-x1 = x2", "Together that is {calc} = {x} dollars. | The {A} and the {B} "
          "cost {calc} = {x} dollars.",
          asks="How many dollars does {N} spend? | What is the price of everything in dollars?"),
    Stage("x3*c/100", "x4/x3 = c/100", "The coupon takes off {calc} = {x} dollars. | {N} saves "
          "{calc} = {x} dollars.",
          ("A coupon lowers the bill of {N} by {c}%. | {N} gets {c} percent off.",),
          {"c": (5, 60)}),
    Stage("x3-x4", "x4+x5 = x3", "{N} still pays {calc} = {x} dollars. | That leaves a bill of "
          "{calc} = {x} dollars.",
          asks="How many dollars must {N} pay in the end? | What is the bill of {N} in dollars?"),
    Stage("d-x5", "x6+x5 = d", "{N} gets back {calc} = {x} dollars. | The change is "
          "{calc} = {x} dollars.",
          ("{N} hands over ${d}. | In the purse of {N} there are ${d}.",), {"d": (600, 1200)},
          asks="How many dollars does {N} have left? | How much change in dollars is due?"),
)  # fmt: skip
TRAVEL = (
    Stage("n*p", "x1/p = n", "The first part is {calc} = {x} miles. | {N} covers {calc} = {x} "
          "miles at that speed.",
          ("{N} drives for {n} hours at {p} miles per hour. | For {n} hours {N} goes {p} miles an "
           "hour.",), {"n": (2, 12), "p": (20, 75)}),
    Stage("x1+m", "x2-m = x1", "The whole way is {calc} = {x} miles. | In all {N} drives "
          "{calc} = {x} miles.",
          ("A detour adds {m} miles. | To see {M}, {N} drives {m} miles more.",), {"m": (5, 180)},
          asks="How many miles does {N} drive? | How long is the whole way in miles?"),
    Stage("x2/g", "x3*g = x2", "The car of {N} needs {calc} = {x} gallons. | That takes "
          "{calc} = {x} gallons.",
          ("The car goes {g} miles on a gallon. | One gallon is enough for {g} miles.",),
          {"g": (8, 60)}, {"g": "x2"},
          asks="How many gallons does the car need? | How many gallons does {N} use?"),
    Stage("x3*c", "x4/c = x3", "The fuel costs {calc} = {x} dollars. | {N} pays {calc} = {x} "
          "dollars for fuel.",
          ("A gallon costs ${c}. | Fuel is sold at ${c} a gallon.",), {"c": (2, 9)},
          asks="How many dollars does the fuel cost? | What does {N} pay for fuel, in dollars?"),
    Stage("x4/k", "x5*k = x4", "Each person pays {calc} = {x} dollars. | A share is "
          "{calc} = {x} dollars.",
          ("The fuel is shared equally by {k} people. | The {k} people in the car split the cost "
           "of the fuel.",), {"k": (2, 8)}, {"k": "x4"},
          asks="How many dollars is the share of each person? | What does each pay, in dollars?"),
)  # fmt: skip
WAGES = (
    Stage("h*w", "x1/h = w", "In a week {N} earns {calc} = {x} dollars. | A week's pay is "
          "{calc} = {x} dollars.",
          ("{N} works {h} hours a week for ${w} an hour. | At ${w} an hour, {N} works {h} hours "
           "every week.",), {"h": (5, 48), "w": (8, 45)}),
    Stage("x1*k", "x2/k = x1", "After all weeks it is {calc} = {x} dollars. | {N} earns "
          "{calc} = {x} dollars in that time.",
          ("The job lasts {k} weeks. | {N} stays for {k} weeks.",), {"k": (2, 15)},
          asks="How many dollars does {N} earn? | What is the whole pay of {N} in dollars?"),
    Stage("x2*c/100", "x3*100 = x2*c", "The taxes are {calc} = {x} dollars. | {N} pays taxes of "
          "{calc} = {x} dollars.",
          ("Taxes take {c}% of the pay. | Of the pay {c} percent goes to taxes.",), {"c": (5, 40)}),
    Stage("x2-x3", "x3+x4 = x2", "{N} keeps {calc} = {x} dollars. | After taxes there are "
          "{calc} = {x} dollars.",
          asks="How many dollars remain after taxes? | What does {N} keep after taxes in dollars?"),
    Stage("x4-d", "x5+d = x4", "After the rent {N} has {calc} = {x} dollars. | The rent leaves "
          "{calc} = {x} dollars.",
          ("The rent for that time is ${d}. | {N} owes ${d} of rent.",), {"d": (50, 900)},
          asks="How many dollars are left when the rent is paid? | What can {N} save, in dollars?"),
    Stage("x5/j", "x6*j = x5", "Each pot gets {calc} = {x} dollars. | Into every pot go "
          "{calc} = {x} dollars.",
          ("What is left is put into {j} equal pots. | {N} spreads what is left over {j} pots "
           "equally.",), {"j": (2, 10)},
          asks="How many dollars are in each pot? | What does one pot hold, in dollars?"),
)  # fmt: skip
GARDEN = (
    Stage("l*w", "x1/w = l", "The garden has {calc} = {x} square metres. | All of the ground is "
          "{calc} = {x} square metres.",
          ("A garden is {l} metres long and {w} metres wide. | The garden of {N} measures {l} by "
           "{w} metres.",), {"l": (8, 60), "w": (5, 40)}),
    Stage("x1-a", "x2+a = x1", "Without the pond it is {calc} = {x} square metres. | The lawn has "
          "{calc} = {x} square metres.",
          ("A pond covers {a} square metres. | Of the ground {a} square metres are a pond.",),
          {"a": (3, 200)},
          asks="How many square metres are lawn? | How large is the rest in square metres?"),
    Stage("x2/b", "x3*b = x2", "The lawn takes {calc} = {x} bags. | {N} needs {calc} = {x} bags of "
          "seed.",
          ("A bag of seed is enough for {b} square metres. | Each {b} square metres of lawn take a "
           "bag of seed.",), {"b": (2, 60)}, {"b": "x2"},
          asks="How many bags of seed does the lawn take? | How many bags must {N} buy?"),
    Stage("x3*c", "x4/x3 = c", "The seed costs {calc} = {x} dollars. | For seed {N} pays "
          "{calc} = {x} dollars.",
          ("A bag costs ${c}. | Seed is sold at ${c} a bag.",), {"c": (3, 40)},
          asks="How many dollars does the seed cost? | What does {N} pay for seed, in dollars?"),
    Stage("x4+d", "x5-d = x4", "With delivery it is {calc} = {x} dollars. | {N} pays "
          "{calc} = {x} dollars in all.",
          ("Delivery adds ${d}. | To have it brought costs ${d}.",), {"d": (4, 60)},
          asks="How many dollars does it cost with delivery? | What is the bill in dollars?"),
)  # fmt: skip
KITCHEN = (
    Stage("f/a", "x1*a = f", "One person needs {calc} = {x} grams. | For one person that is "
          "{calc} = {x} grams.",
          ("A recipe for {a} people takes {f} grams of flour. | With {f} grams of flour the recipe "
           "serves {a} people.",), {"f": (100, 1500), "a": (2, 12)}, {"a": "f"}),
    Stage("x1*g", "x2/g = x1", "The guests need {calc} = {x} grams. | {N} uses {calc} = {x} grams.",
          ("{N} cooks for {g} guests. | There are {g} guests of {N} to feed.",), {"g": (5, 60)},
          asks="How many grams of flour does {N} need? | How much flour is that in grams?"),
    Stage("x2-h", "x3+h = x2", "There are {calc} = {x} grams missing. | {N} must buy "
          "{calc} = {x} grams.",
          ("At home {N} has {h} grams of flour. | A jar with {h} grams of flour is there.",),
          {"h": (20, 900)},
          asks="How many grams of flour are missing? | How many grams must {N} buy?"),
    Stage("x3/b", "x4*b = x3", "That is {calc} = {x} bags. | {N} brings {calc} = {x} bags.",
          ("Flour is sold in bags of {b} grams. | A bag holds {b} grams.",), {"b": (20, 1000)},
          {"b": "x3"}, asks="How many bags must {N} buy? | How many bags are missing?"),
    Stage("x4*c", "x5/c = x4", "The bags cost {calc} = {x} dollars. | {N} pays {calc} = {x} "
          "dollars.",
          ("A bag costs ${c}. | The shop asks ${c} for a bag.",), {"c": (2, 9)},
          asks="How many dollars do the bags cost? | What does {N} pay, in dollars?"),
)  # fmt: skip
DIFFERENCE = (
    Stage("t-d", "x1 = t-d", "Without what {N} has more it is {calc} = {x} {A}. | Twice the share "
          "of {M} is {calc} = {x} {A}.",
          ("{N} and {M} have {t} {A} together. | Between them {N} and {M} own {t} {A}.",
           "{N} has {d} {A} more than {M}. | {M} owns {d} {A} less than {N}."),
          {"t": (20, 240), "d": (2, 60)}),
    Stage("x1/2", "x2+x2+d = t", "{M} has {calc} = {x} {A}. | So {calc} = {x} {A} belong to {M}.",
          asks="How many {A} does {M} have? | How many {A} belong to {M}?"),
    Stage("x2+d", "x3+x2 = t", "{N} has {calc} = {x} {A}. | So {calc} = {x} {A} belong to {N}.",
          asks="How many {A} does {N} have? | How many {A} belong to {N}?"),
    Stage("x3*p", "x4/p = x3", "{N} takes in {calc} = {x} dollars. | The {A} of {N} bring "
          "{calc} = {x} dollars.",
          ("{N} sells all own {A} at ${p} each. | For every one of the {A}, {N} gets ${p}.",),
          {"p": (2, 25)},
          asks="How many dollars does {N} take in? | What do the {A} of {N} bring, in dollars?"),
    Stage("x4-e", "x5+e = x4", "{N} has {calc} = {x} dollars left. | The gain is {calc} = {x} "
          "dollars.",
          ("The stall costs {N} ${e}. | {N} pays ${e} for a stall.",), {"e": (5, 90)},
          asks="How many dollars does {N} gain? | What is left for {N}, in dollars?"),
)  # fmt: skip
FACTORY = (
    Stage("m*r", "x1/m = r", "All machines make {calc} = {x} {A} an hour. | In an hour there are "
          "{calc} = {x} {A}.",
          ("A factory has {m} machines. | In a hall stand {m} machines.",
           "A machine makes {r} {A} an hour. | Every hour each machine turns out {r} {A}."),
          {"m": (2, 25), "r": (3, 60)}),
    Stage("x1*h", "x2/h = x1", "The day brings {calc} = {x} {A}. | That makes {calc} = {x} {A} a "
          "day.",
          ("They run {h} hours a day. | Work goes on for {h} hours a day.",), {"h": (4, 20)},
          asks="How many {A} are made a day? | How many {A} come out every day?"),
    Stage("x2*c/100", "x3/x2 = c/100", "Of these {calc} = {x} {A} are faulty. | The waste is "
          "{calc} = {x} {A}.",
          ("Of the {A}, {c}% are faulty. | A test rejects {c} percent of the {A}.",),
          {"c": (2, 30)}),
    Stage("x2-x3", "x3+x4 = x2", "There are {calc} = {x} good {A}. | What remains is "
          "{calc} = {x} {A}.",
          asks="How many good {A} are made a day? | How many {A} pass the test every day?"),
    Stage("x4/b", "x5*b = x4", "They fill {calc} = {x} boxes. | That is {calc} = {x} boxes of {A}.",
          ("The good {A} are packed {b} to a box. | A box holds {b} good {A}.",), {"b": (3, 60)},
          {"b": "x4"}, asks="How many boxes are filled a day? | How many boxes of {A} is that?"),
    Stage("x5*p", "x6/x5 = p", "The boxes bring {calc} = {x} dollars. | The sale is "
          "{calc} = {x} dollars.",
          ("A box is sold for ${p}. | The factory gets ${p} for a box.",), {"p": (4, 70)},
          asks="How many dollars do the boxes of a day bring? | What is a day's sale in dollars?"),
)  # fmt: skip
AGES = (
    Stage("k+1", "x1-k = 1", "Together they are {calc} = {x} times the age of {M}. | The sum is "
          "{calc} = {x} times as much as {M} has.",
          ("{N} is {k} times as old as {M}. | The age of {N} is {k} times that of {M}.",),
          {"k": (2, 9)}),
    Stage("t/x1", "k*x2+x2 = t", "{M} is {calc} = {x} years old. | The age of {M} is "
          "{calc} = {x} years.",
          ("Together {N} and {M} are {t} years old. | The ages of {N} and {M} add up to {t}.",),
          {"t": (12, 140)}, asks="How old is {M}? | How many years is {M} old?"),
    Stage("x2*k", "x3+x2 = t", "{N} is {calc} = {x} years old. | The age of {N} is {calc} = {x} "
          "years.", asks="How old is {N}? | How many years is {N} old?"),
    Stage("x3+y", "x4-y = x3", "Then {N} is {calc} = {x} years old. | {N} will be {calc} = {x}.",
          ("{N} moves abroad in {y} years. | In {y} years {N} retires.",), {"y": (2, 25)},
          asks="How old is {N} then? | What age will {N} have by then?"),
)  # fmt: skip
SCORES = (
    Stage("g*3", "x1/3 = g", "The three tests have {calc} = {x} points. | An average of that size "
          "takes {calc} = {x} points.",
          ("{N} wants an average of {g} points over three tests. | Over three tests {N} must "
           "average {g} points.",), {"g": (40, 95)}),
    Stage("a+b", "x2-a = b", "{N} has {calc} = {x} points so far. | The first two are "
          "{calc} = {x} points.",
          ("The first test of {N} has {a} points. | {N} starts with a test of {a} points.",
           "The second test of {N} has {b} points. | A second test brings {N} {b} points."),
          {"a": (20, 100), "b": (20, 100)}),
    Stage("x1-x2", "a+b+x3 = 3*g", "The last one must have {calc} = {x} points. | {N} still needs "
          "{calc} = {x} points.",
          asks="How many points must the last of the three have? | What must {N} score next?"),
    Stage("x3+d", "x4-d = x3", "{M} gets {calc} = {x} points. | The test of {M} has "
          "{calc} = {x} points.",
          ("{M} is {d} points better in the last test. | In the last test {M} beats {N} by {d} "
           "points.",), {"d": (2, 30)},
          asks="How many points has {M} in the last test, if {N} just makes it? | What is the "
               "score of {M} if {N} reaches the aim exactly?"),
)  # fmt: skip
TANK = (
    Stage("v*c/100", "x1/v = c/100", "There are {calc} = {x} litres in it. | The tank now has "
          "{calc} = {x} litres.",
          ("A tank holds {v} litres. | There is room for {v} litres in the tank of {N}.",
           "It is {c}% full. | At first {c} percent of the tank is full."),
          {"v": (50, 2000), "c": (5, 80)}),
    Stage("v-x1", "x1+x2 = v", "There are {calc} = {x} litres missing. | {N} must add "
          "{calc} = {x} litres.",
          asks="How many litres are missing? | How many litres must {N} add?"),
    Stage("x2/r", "x3*r = x2", "The pump runs {calc} = {x} minutes. | That takes {calc} = {x} "
          "minutes.",
          ("A pump moves {r} litres a minute. | Each minute {r} litres flow in.",), {"r": (2, 40)},
          {"r": "x2"},
          asks="How many minutes does it take to fill it? | For how many minutes does it run?"),
    Stage("x3*w", "x4/w = x3", "Its power costs {calc} = {x} cents. | {N} pays {calc} = {x} cents.",
          ("A minute of pumping costs {w} cents. | {N} pays {w} cents for a minute.",),
          {"w": (2, 45)},
          asks="How many cents does it cost to fill it? | What does {N} pay, in cents?"),
    Stage("x4/k", "x5*k = x4", "Each of them pays {calc} = {x} cents. | A share is {calc} = {x} "
          "cents.",
          ("That cost is shared by {k} neighbours. | {k} neighbours share that cost equally.",),
          {"k": (2, 9)},
          asks="How many cents does each neighbour pay? | What is one share in cents?"),
)  # fmt: skip

FAMILIES: dict[str, tuple[Stage, ...]] = {
    "ages": AGES, "difference": DIFFERENCE, "factory": FACTORY, "garden": GARDEN,
    "kitchen": KITCHEN, "scores": SCORES, "shopping": SHOPPING, "tank": TANK, "travel": TRAVEL,
    "wages": WAGES,
}  # fmt: skip
