"""The scenarios, one line each: what is asked for, and how the number of users changes meanwhile.

Knows nothing of Locust, whose import patches the whole process.
"""

from typing import Literal, NamedTuple

from loadtest.scenarios.stages import SOAK, SPIKE, STEADY, STEP, Stage

# mix: mostly rows that nobody has asked for, now and then a favourite. favourites: Zipf's law over all
# rows of the sample. unique: never the same row twice. bad: every other request is a bad one.
Asks = Literal["mix", "favourites", "unique", "batch", "bad"]


class Scenario(NamedTuple):
    """A scenario; `all_models` says what is asked for where nobody says so: all models, or one."""

    about: str
    asks: Asks = "mix"
    stages: tuple[Stage, ...] = STEADY
    all_models: bool = False


SCENARIOS = {
    "steady": Scenario("as many users all the time; of five rows four are new"),
    "step": Scenario("more users in five steps: where does latency begin to grow?", stages=STEP),
    "spike": Scenario("five times as many users for a while, and back again", stages=SPIKE),
    "soak": Scenario("half an hour of the same: does anything grow?", stages=SOAK),
    "repeats": Scenario("favourites come again and again (Zipf): the caches' best case", "favourites"),
    "unique": Scenario("no row is asked for twice: the caches' worst case", "unique"),
    "batch": Scenario("many rows in each request (--batch-rows)", "batch"),
    "mixed": Scenario("all models at once", all_models=True),
    "bad": Scenario("half of it bad input, which must get its 4xx and name the field", "bad"),
    "update": Scenario("versions change under load, by --update-command or by somebody else"),
}
