"""The model as a proposer: whatever it is asked that is not the task, it answers with sampled rules.

It looks at the fields and not at the wording, so any optimizer's questions will do: instructions, advice by module,
observations, lists of rules. A text output gets an opening and some rules, a mapping gets that for each
module that the request names, a list of texts gets one rule each; `reasoning`, `discussion`, descriptions and
prefixes get a plain sentence, and other types a valid value. All outputs of one answer share their rules.

**Which rules.** They are drawn in this order; every probability is a constant below.

1. *Kept.* Of the rules that the request quotes, the last six to be mentioned are candidates (optimizers list the
   best attempt last), and each is kept with `KEPT`. With failures at hand, a bad rule that covers a failing topic
   is seen through and dropped with `SEEN_THROUGH`. In mappings, which are added to what is there, none is kept.
2. *New.* One or two (in outputs whose name says rules: four), none that the request quotes already. Each is good,
   neutral or bad by the odds of the evidence that the request holds:

   | evidence | good, for a quoted topic | good, any | neutral | bad |
   |---|---|---|---|---|
   | `BLIND`: no message of the task is quoted | | .55 | .20 | .25 |
   | `SHOWN`: messages are quoted (a data summary, rule induction) | .25 | .20 | .25 | .30 |
   | `FAILING`: a quoted message is followed by a failure | .70 | .10 | .08 | .12 |

   What is shown without its outcome tempts to rules about the surface: it is about the right topics, and no
   better than a blind guess. A failure is a word of being wrong, or a score or reward of 0, between a quoted
   message and the next; the topics are then those of the failing messages. This is why reflection on failures pays
   here, as it does with real models: the proposals are more often good, and for what fails.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from dspx.testing.jsonvalues import value_for
from dspx.testing.prompt.reading import Asking
from dspx.testing.prompt.wanted import Wanted
from dspx.testing.simulated.messages import Item, mentions
from dspx.testing.simulated.rules import Rule, rules_in

KEPT, SEEN_THROUGH, CANDIDATES, MOST = 0.9, 0.6, 6, 10


@dataclass(frozen=True, slots=True)
class Odds:
    """How likely a new rule is good for a quoted topic, good for any, neutral; else it is bad."""

    fitting: float
    good: float
    neutral: float


BLIND = Odds(0.0, 0.55, 0.20)
SHOWN = Odds(0.25, 0.20, 0.25)
FAILING = Odds(0.70, 0.10, 0.08)

_PLAIN = re.compile(r"reason|rationale|discuss|descri|prefix|analys|thought|diagnos")
_FAILURE = re.compile(
    r"\b(wrong|incorrect|mistake|failed|should (be|have|go))\b|(score|reward)\w*\W{1,20}(of )?0(\.0+)?(?![.\d])",
    re.IGNORECASE,
)
_OPENINGS = (
    "Say which team must deal with the customer's message.",
    "Read the customer's message and name the team that it is for.",
    "You route messages of customers. Answer with the team that has to act.",
    "Given a message, decide which of our teams it belongs to.",
    "Work out what the customer needs, then name the team for it.",
)


class Proposing:
    """What the model has to suggest."""

    def __init__(self, items: Mapping[int, Item], rules: Sequence[Rule]) -> None:
        self.items = items
        self.rules = rules

    def fill(self, asking: Asking, rng: Random) -> dict[str, Any]:
        """A value for each output."""
        text = "\n".join(f"{name}: {value}" for name, value in asking.inputs.items())
        many = any("rule" in name for name in asking.outputs)
        added, kept = self.sample(text, rng, 4 if many else 1 + (rng.random() < 0.5))
        opening = rng.choice(_OPENINGS)
        whole = _instruction(opening, [self.rules[place].text for place in (*kept, *added)])
        new = [self.rules[place].text for place in added]
        return {
            name: self._value(wanted, whole, new, asking.inputs) for name, wanted in asking.outputs.items()
        }

    def plain(self, text: str, rng: Random) -> str:
        """The answer to a prompt that is in no adapter's layout; in a fenced block where the prompt shows one."""
        added, kept = self.sample(text, rng, 1 + (rng.random() < 0.5))
        said = _instruction(rng.choice(_OPENINGS), [self.rules[place].text for place in (*kept, *added)])
        return f"```\n{said}\n```" if "```" in text else said

    def sample(self, text: str, rng: Random, count: int) -> tuple[list[int], list[int]]:
        """The new rules and the kept ones (places in `rules`), as the module's page says."""
        seen = rules_in(text, self.rules)
        quoted, failing = self._evidence(text)
        kept: list[int] = []
        for place in seen[-CANDIDATES:]:
            rule = self.rules[place]
            harmful = rule.kind == "bad" and not failing.isdisjoint(rule.topics)
            keeps, sees_through = rng.random() < KEPT, rng.random() < SEEN_THROUGH
            if keeps and not (harmful and sees_through):
                kept.append(place)
        odds = FAILING if failing else SHOWN if quoted else BLIND
        added: list[int] = []
        for _ in range(min(count, MOST - len(kept))):
            place = self._new(odds, failing or quoted, {*seen, *added}, rng)
            if place is not None:
                added.append(place)
        return added, kept

    def _new(self, odds: Odds, topics: frozenset[int], taken: set[int], rng: Random) -> int | None:
        free = [place for place in range(len(self.rules)) if place not in taken]
        drawn = rng.random()
        kind = (
            "good"
            if drawn < odds.fitting + odds.good
            else "neutral"
            if drawn < odds.fitting + odds.good + odds.neutral
            else "bad"
        )
        choices = [place for place in free if self.rules[place].kind == kind]
        fitting = [place for place in choices if not topics.isdisjoint(self.rules[place].topics)]
        if drawn < odds.fitting and fitting:
            choices = fitting
        return rng.choice(choices) if choices else None

    def _evidence(self, text: str) -> tuple[frozenset[int], frozenset[int]]:
        """The topics of the messages that the text quotes, and of those among them that failed."""
        found = [(self.items[number], at) for number, at in mentions(text) if number in self.items]
        ends = [*(at for _, at in found), len(text)][1:]
        failing = {
            item.topic
            for (item, at), end in zip(found, ends, strict=True)
            if _FAILURE.search(text, at + len(item.text) - 40, end)
        }
        return frozenset(item.topic for item, _ in found), frozenset(failing)

    def _value(self, wanted: Wanted, whole: str, new: list[str], inputs: Mapping[str, str]) -> Any:
        kind = wanted.schema.get("type")
        if wanted.is_text:
            return "It depends on the team that the message is for." if _PLAIN.search(wanted.name) else whole
        if kind == "object" and "properties" not in wanted.schema:
            return {name: "\n".join(new) for name in module_names(inputs)}
        if kind == "array" and wanted.schema.get("items", {}).get("type") == "string":
            return new
        return value_for(wanted.schema, wanted.name)


def module_names(inputs: Mapping[str, str]) -> list[str]:
    """The modules that a request names, in an input for that or in the definitions of the modules."""
    for name, value in inputs.items():
        if name.endswith("names"):
            listed = _list(value)
            if listed:
                return listed
    return re.findall(r"^Module (\S+)", "\n".join(inputs.values()), re.MULTILINE) or ["self"]


def _list(text: str) -> list[str]:
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text)
        except (ValueError, SyntaxError):
            continue
        if isinstance(value, list):
            return [str(each) for each in value]
    return re.findall(r"«(.*?)»", text) or [part.strip() for part in text.split(",") if part.strip()]


def _instruction(opening: str, rules: Sequence[str]) -> str:
    return "\n".join([opening, *(f"- {rule}" for rule in rules)])
