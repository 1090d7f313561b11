import asyncio
import json
import pickle

import httpx
import pytest

import dspx
from dspx.cache.configured import configure_cache
from dspx.core import streams
from dspx.errors import LMAuthError, LMConfigurationError, LMNotConfiguredError, LMServerError
from dspx.lm import transport
from dspx.lm.transport.sse import ServerEvent
from dspx.runtime import clock


@pytest.fixture(autouse=True)
def _fresh_cache(tmp_path):
    configure_cache(disk_cache_dir=tmp_path)
    yield
    configure_cache()


class Provider:
    """An HTTP API as an httpx transport: answers by `answer(body)` and remembers what it was asked."""

    def __init__(self, answer=None, status=200):
        self.asked: list[dict] = []
        self.headers: list[httpx.Headers] = []
        self.answer = answer or (lambda body: "hello")
        self.status = status

    def transport(self):
        return httpx.MockTransport(self._handle)

    def _handle(self, request):
        body = json.loads(request.content)
        self.asked.append(body)
        self.headers.append(request.headers)
        answer = self.answer(body)
        if isinstance(answer, httpx.Response):
            return answer
        choices = [
            {"index": i, "message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}
            for i in range(body.get("n", 1))
        ]
        usage = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}
        return httpx.Response(
            self.status, json={"id": "1", "model": body["model"], "choices": choices, "usage": usage}
        )


def make(provider, model="openai/gpt-4o-mini", **kwargs):
    return dspx.LM(model, api_key="sk-test-0123456789", http_client=provider.transport(), **kwargs)


def test_a_prompt_goes_out_as_the_provider_wants_it_and_its_answer_comes_back():
    provider = Provider()
    lm = make(provider, temperature=0.3)
    assert lm("hi", max_tokens=5) == ["hello"]
    assert provider.asked == [
        {
            "model": "gpt-4o-mini",
            "messages": [{"role": "user", "content": "hi"}],
            "temperature": 0.3,
            "max_tokens": 5,
        }
    ]
    assert provider.headers[0]["authorization"] == "Bearer sk-test-0123456789"


def test_sync_and_async_calls_share_the_cache():
    provider = Provider()
    lm = make(provider)
    assert lm("hi") == asyncio.run(lm.acall("hi")) == ["hello"]
    assert len(provider.asked) == 1
    assert [entry["cache_hit"] for entry in lm.history] == [False, True]
    assert lm.history[-1]["usage"] == {}


def test_a_hit_counts_as_a_hit():
    lm = make(Provider())
    with dspx.track_usage() as usage:
        lm("hi")
        lm("hi")
    assert (usage.calls, usage.cache_hits) == (1, 1)
    assert usage.total_cost > 0


def test_another_rollout_asks_anew_and_is_not_told_to_the_provider():
    provider = Provider()
    lm = make(provider)
    lm("hi", rollout_id=1)
    lm("hi", rollout_id=2)
    lm("hi", rollout_id=2)
    assert len(provider.asked) == 2
    assert "rollout_id" not in provider.asked[0]


def test_without_the_cache_every_call_goes_out():
    provider = Provider()
    lm = make(provider, cache=False)
    lm("hi")
    lm("hi")
    assert len(provider.asked) == 2


def test_several_completions_come_from_one_request_where_the_server_makes_them():
    provider = Provider()
    assert make(provider)("hi", n=3) == ["hello"] * 3
    assert len(provider.asked) == 1


@pytest.mark.parametrize("is_async", [False, True])
def test_and_from_several_requests_where_it_does_not(is_async):
    provider = Provider()
    lm = make(provider, "groq/llama-3.3-70b-versatile")
    answers = asyncio.run(lm.acall("hi", n=3)) if is_async else lm("hi", n=3)
    assert answers == ["hello"] * 3
    assert len(provider.asked) == 3
    assert lm.history[-1]["usage"]["total_tokens"] == 36


def test_a_failure_that_may_pass_is_tried_again():
    answers = [
        httpx.Response(503, text="busy"),
        httpx.Response(429, headers={"retry-after": "7"}, text="slow"),
        "ok",
    ]
    provider = Provider(lambda body: answers.pop(0))
    with clock.use(clock.FakeClock()) as fake:
        assert make(provider)("hi") == ["ok"]
    assert len(provider.asked) == 3
    assert 7.0 in fake.slept


def test_a_failure_that_will_not_pass_is_raised_at_once():
    provider = Provider(
        lambda body: httpx.Response(401, json={"error": {"message": "bad key sk-test-0123456789"}})
    )
    with pytest.raises(LMAuthError) as raised:
        make(provider)("hi")
    assert len(provider.asked) == 1
    assert "sk-test-0123456789" not in str(raised.value)


def test_a_fallback_answers_when_the_first_fails_for_good_and_is_named():
    broken, healthy = Provider(lambda body: httpx.Response(500, text="down")), Provider()
    lm = make(broken, num_retries=0, fallbacks=[make(healthy, "openai/gpt-4.1-mini")])
    dspx.configure(lm=lm)
    try:
        assert lm("hi") == ["hello"]
        assert lm.history[-1]["response"].route == "openai/gpt-4.1-mini"
        assert healthy.asked[0]["model"] == "gpt-4.1-mini"
        with dspx.track_usage() as usage:
            lm("hi again")
        assert list(usage.get_total_tokens()) == ["openai/gpt-4.1-mini"]
    finally:
        dspx.configure(lm=None)


def test_when_all_fail_the_error_names_them():
    broken = Provider(lambda body: httpx.Response(500, text="down"))
    lm = make(broken, num_retries=0, fallbacks=[make(broken, "openai/gpt-4.1", num_retries=0)])
    with pytest.raises(LMServerError, match=r"gpt-4o-mini.*gpt-4\.1"):
        lm("something else")


def test_a_stream_arrives_in_pieces_and_gives_the_same_response():
    pieces = ["he", "ll", "o"]

    def stream(body):
        assert body["stream"] is True
        events = [{"choices": [{"index": 0, "delta": {"content": p}}]} for p in pieces]
        events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        text = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, text=text)

    class Sink:
        heard: list = []

        def on_call(self):
            self.heard.append("call")

        def on_delta(self, delta):
            self.heard.append(delta.text)

    for is_async in (False, True):
        Sink.heard = []
        lm = make(Provider(stream), cache=False)
        with streams.sink.using(Sink()):
            answer = asyncio.run(lm.acall("hi")) if is_async else lm("hi")
        assert answer == ["hello"]
        assert Sink.heard == ["call", "he", "ll", "o"]


def test_a_missing_key_is_named_before_anything_is_sent(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(LMNotConfiguredError, match="OPENAI_API_KEY"):
        dspx.LM("openai/gpt-4o-mini")("hi")


@pytest.mark.parametrize("settings", [{"temperature": 0.5}, {"max_tokens": 100}])
def test_reasoning_models_refuse_settings_that_they_do_not_take(settings):
    with pytest.raises(LMConfigurationError, match="reasoning models require"):
        dspx.LM("openai/o3-mini", **settings)
    dspx.LM("openai/o3-mini", temperature=1.0, max_tokens=20_000)


def test_the_connection_cannot_change_within_a_call():
    with pytest.raises(LMConfigurationError, match=r"lm\.copy\(api_base="):
        make(Provider())("hi", api_base="http://elsewhere")


def test_a_copy_may_go_elsewhere():
    provider = Provider()
    lm = make(provider).copy(api_base="http://elsewhere/v1", model="openai/other")
    assert lm.endpoint.base_url == "http://elsewhere/v1"
    assert lm("hi") == ["hello"]
    assert provider.asked[0]["model"] == "other"


def test_a_copy_that_changes_a_request_only_keeps_its_layers():
    lm = make(Provider())
    lm("hi")
    assert lm.copy(temperature=1.0)._asker is lm._asker


def test_an_engine_of_the_users_own_answers():
    class Engine:
        async def generate(self, request):
            return f"engine says {request.messages[-1]['content']}"

    lm = dspx.LM("anything/at-all", engine=Engine())
    assert lm("hi") == asyncio.run(lm.acall("hi")) == ["engine says hi"]


def test_litellm_is_an_extra_that_is_named():
    try:
        import litellm  # noqa: F401
    except ImportError:
        with pytest.raises(LMConfigurationError, match=r"dspx\[litellm\]"):
            dspx.LM("anything/at-all", engine="litellm")("hi")


def test_no_secret_is_shown():
    lm = make(Provider())
    lm("hi")
    assert "sk-test-0123456789" not in repr(lm) + repr(lm.endpoint) + repr(lm.dump_state()) + repr(
        lm.history[-1]
    )


def test_an_lm_that_was_asked_can_be_sent_to_another_process_without_its_secrets():
    provider = Provider()
    lm = make(
        provider,
        headers={"Authorization": "Bearer sk-header"},
        azure_ad_token="sk-token",
        timeout=7,
        cache=False,
    )
    lm("hi")
    sent = pickle.dumps(lm)
    assert b"sk-" not in sent
    other = pickle.loads(sent)  # noqa: S301
    assert (other.model, other.layers, list(other.history)) == (lm.model, {"timeout": 7}, [])
    assert other.copy(api_key="k", http_client=provider.transport())("hi") == ["hello"]
    assert lm("hi") == ["hello"]
    assert "sk-token" not in str(lm.history[-1]["kwargs"])


def test_state_keeps_the_limits_of_an_lm():
    from dspx.lm.lm import load_lm

    lm = make(Provider(), timeout=7, deadline=20.0, max_in_flight=3)
    assert load_lm(lm.dump_state()).layers == {"timeout": 7, "deadline": 20.0, "max_in_flight": 3}


def test_a_listener_that_has_had_enough_of_a_stream_closes_it_at_once(monkeypatch):
    closed = []

    async def arriving(call, **options):
        try:
            yield ServerEvent(None, '{"choices":[{"index":0,"delta":{"content":"a"}}]}')
            yield ServerEvent(None, '{"choices":[{"index":0,"delta":{"content":"b"}}]}')
        finally:
            closed.append(True)

    class Enough:
        def on_call(self): ...
        def on_prediction(self, prediction): ...
        def on_delta(self, delta):
            raise KeyError("enough")

    async def main():
        with streams.sink.using(Enough()), pytest.raises(KeyError):
            await make(Provider(), cache=False).acall("hi")
        return list(closed)

    monkeypatch.setattr(transport, "stream", arriving)
    assert asyncio.run(main()) == [True]


class Stamping(dspx.LM):
    """As users of DSPy write one: `forward` overridden, the rest of the work left to the LM."""

    def forward(self, prompt=None, messages=None, **kwargs):
        self.seen = (prompt, messages, kwargs)
        response = super().forward(prompt=prompt, messages=messages, **kwargs)
        return {"choices": [{"message": {"content": f"{response.choices[0].message.content}, stamped"}}]}


def test_an_lm_with_its_own_forward_answers_by_it_and_may_leave_the_work_to_the_lm():
    provider = Provider()
    lm = Stamping("openai/gpt-4o-mini", temperature=0.5, api_key="k", http_client=provider.transport())
    assert lm("hi", top_p=0.9) == ["hello, stamped"]
    assert lm.seen == ("hi", None, {"top_p": 0.9})
    assert provider.asked[0]["temperature"] == 0.5
    lm("hi", top_p=0.9, rollout_id=1)
    lm("hi", top_p=0.9, rollout_id=2)
    assert len(provider.asked) == 3  # super().forward() knows the rollout, so the cache does too


def test_an_lm_with_its_own_forward_is_awaited_too():
    lm = Stamping("openai/gpt-4o-mini", api_key="k", http_client=Provider().transport())
    assert asyncio.run(lm.acall("hi")) == ["hello, stamped"]


def test_forward_and_aforward_give_the_whole_response():
    lm = make(Provider())
    assert lm.forward("hi").choices[0].message.content == "hello"
    assert asyncio.run(lm.aforward(messages=[{"role": "user", "content": "hi"}])).text == "hello"
