"""An agent that answers by writing code: CodeAct in the sandbox, with a tool outside of it.

python -m examples.code_agent              the code sandbox (pip install "dspx[sandbox]")
python -m examples.code_agent --unsafe     a plain Python process instead

The model here is a script, so that the example runs offline; put `dspx.LM("openai/gpt-4o-mini")` in its place.
"""

from __future__ import annotations

import sys
from functools import partial

import dspx
from dspx.testing import DummyLM

ORDERS = {
    "Almeida": [("bolts", 120, 0.25), ("nuts", 80, 0.15)],
    "Brandão": [("washers", 500, 0.04)],
    "Castro": [("bolts", 40, 0.25), ("screws", 300, 0.08)],
}


def orders_of(customer: str) -> list[dict[str, object]]:
    """A customer's order lines, each with item, quantity and unit price."""
    return [{"item": item, "quantity": n, "price": price} for item, n, price in ORDERS[customer]]


SCRIPT = [
    {
        "generated_code": "lines = {name: orders_of(name) for name in customers}\nprint(lines['Almeida'])",
        "finished": "False",
    },
    {
        "generated_code": "totals = {name: sum(l['quantity'] * l['cost'] for l in lines[name]) for name in lines}",
        "finished": "False",
    },
    {
        "generated_code": "totals = {name: sum(l['quantity'] * l['price'] for l in lines[name]) for name in lines}\n"
        "best = max(totals, key=totals.get)\nbest, round(totals[best], 2)",
        "finished": "True",
    },
    {
        "reasoning": "Almeida's lines come to 42.00, more than the others'.",
        "customer": "Almeida",
        "total": "42.0",
    },
]


def main(unsafe: bool = False) -> None:
    factory = partial(dspx.LocalInterpreter, unsafe=True) if unsafe else dspx.PythonInterpreter
    agent = dspx.CodeAct(
        "question, customers: list[str] -> customer, total: float",
        tools=[orders_of],
        interpreter_factory=factory,
    )
    with dspx.context(lm=DummyLM(SCRIPT)):
        answer = agent(question="Which customer ordered for the most money?", customers=list(ORDERS))
    for name, text in answer.trajectory.items():
        print(f"{name}:\n    " + str(text).strip().replace("\n", "\n    "))
    print(f"\n{answer.customer}: {answer.total:.2f}")


if __name__ == "__main__":
    main("--unsafe" in sys.argv)
