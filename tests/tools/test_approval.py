import asyncio

import pytest

from dspx.errors import ToolApprovalError, ToolRefused
from dspx.tools import Edited, Refused, Tool


def pay(amount: int) -> str:
    return f"paid {amount}"


def tool(answer, asked=None):
    def approve(tool, args):
        if asked is not None:
            asked.append((tool.name, args))
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Tool(pay, approve=approve)


def test_a_tool_is_asked_about_with_its_arguments_before_it_runs():
    asked = []
    assert tool(True, asked)(amount=3) == "paid 3"
    assert asked == [("pay", {"amount": 3})]


@pytest.mark.parametrize(("answer", "reason"), [(Refused("too much"), "too much"), (False, "not approved")])
def test_a_refused_tool_does_not_run_and_says_why(answer, reason):
    with pytest.raises(ToolRefused, match=reason) as caught:
        tool(answer)(amount=3)
    assert reason in caught.value.reason


def test_arguments_may_be_edited_and_are_checked_after():
    assert tool(Edited({"amount": "5"}))(amount=3) == "paid 5"
    with pytest.raises(ValueError, match="amount is missing"):
        tool(Edited({}))(amount=3)


@pytest.mark.parametrize("answer", [None, "yes", 1, RuntimeError("no connection")])
def test_what_is_no_answer_is_no_yes(answer):
    with pytest.raises(ToolApprovalError):
        tool(answer)(amount=3)


def test_whoever_is_asked_cannot_change_the_arguments_by_accident():
    def approve(tool, args):
        args["amount"] = 99
        return True

    assert Tool(pay, approve=approve)(amount=3) == "paid 3"


def test_an_async_hook_works_from_both_kinds_of_call():
    async def approve(tool, args):
        return Edited({"amount": args["amount"] + 1})

    made = Tool(pay, approve=approve)
    assert made(amount=1) == "paid 2"
    assert asyncio.run(made.acall(amount=1)) == "paid 2"
