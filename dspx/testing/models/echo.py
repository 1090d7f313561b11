"""Says what it was told: the last user message, or JSON where JSON was asked for."""

from __future__ import annotations

import orjson

from dspx.lm.request import Request
from dspx.lm.response import Output
from dspx.testing.jsonvalues import value_for
from dspx.testing.models.base import last_text, schema_asked, tool_call


class Echo:
    """The quickest model there is."""

    def answer(self, request: Request, index: int = 0) -> Output:
        params = request.params
        if "tools" in params:
            called = tool_call(request)
            if called is not None:
                return called
        text = last_text(request)
        if "response_format" in params:
            schema = schema_asked(request)
            if schema is not None:
                value = value_for(schema) if schema else {"echo": text}
                text = orjson.dumps(value).decode()
        return Output(text, finish_reason="stop")
