"""Attacks by what is written into a request; over the whole table of operations and routes where that makes sense."""

import base64
import importlib
import json
from typing import Any

import pytest
from gateway.operations import CHAT, OPERATIONS, Operation, Protocol
from gateway.requests import CONTENT, MAX_VALUES, PLAIN, checked, parse
from hypothesis import given
from hypothesis import strategies as st
from lisa.errors import BadRequestError

from tests.gateway.attacks import (
    ASK,
    CALLED,
    FORGED,
    GUARDED,
    HEADERS,
    HOSTILE,
    body_for,
    calls,
    client,
    raw,
    statuses,
    without_ids,
)
from tests.gateway.conftest import World

# ── text in headers, keys and names ──


@pytest.mark.parametrize("header", HEADERS)
def test_hostile_text_in_a_header_goes_nowhere(world: World, header: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "gateway")
    with world.http() as http:
        for text in HOSTILE:
            value = text.encode("latin-1")
            before = calls(world)
            answer = http.post(
                "/v1/chat/completions", json={"model": "echo", "messages": ASK}, headers=[(header.encode(), value)]
            )
            if answer.status_code == 400:  # not a header at all, says the server
                assert text == "\x7f\xff"
                assert calls(world) == before
                continue
            assert answer.status_code == 200
            assert text not in str(world.upstream.seen.headers[-1])
            assert text not in str(answer.headers)
            assert text not in str([vars(record) for record in caplog.records])


@pytest.mark.parametrize("header", ["anthropic-version", "anthropic-beta"])
def test_version_is_no_place_for_other_text(world: World, header: str) -> None:
    body = {"model": "claude", "messages": ASK, "max_tokens": 5}
    with world.http() as http:
        for text in HOSTILE:
            before = calls(world)
            headers = [(header.encode(), text.encode("latin-1"))]
            assert http.post("/v1/messages", json=body, headers=headers).status_code == 400, text
            assert calls(world) == before
        betas = "context-1m-2025-08-07,interleaved-thinking-2025-05-14"
        assert http.post("/v1/messages", json=body, headers={"anthropic-beta": betas}).status_code == 200
        assert world.anthropic.seen.headers[-1]["anthropic-beta"] == betas


@pytest.mark.parametrize("header", ["Authorization", "Api-Key", "X-Api-Key"])
@pytest.mark.usefixtures("untouched")
def test_hostile_text_as_a_key_is_an_unknown_key(world: World, header: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "gateway")
    with world.http(None) as http:
        for text in (*HOSTILE, "Bearer", "Basic " + base64.b64encode(b"root:root").decode(), "null", "*"):
            for value in (text, f"Bearer {text}"):
                headers = [(header.encode(), value.encode("latin-1"))]
                answer = http.post("/v1/chat/completions", json={"model": "echo", "messages": ASK}, headers=headers)
                assert answer.status_code in (400, 401), value
                assert len(text) < 9 or text not in answer.text
                assert len(text) < 9 or text not in str([vars(record) for record in caplog.records])


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
@pytest.mark.usefixtures("untouched")
def test_hostile_text_as_a_model_is_an_unknown_model(world: World, operation: Operation) -> None:
    with world.http("root") as http:
        for text in (*HOSTILE, "echo\x00", " echo", "echo ", "ECHO", "echo/../physics", "physics#", "openai/echo", "*"):
            answer = http.post(f"/v1{operation.path}", json=body_for(operation, text))
            assert answer.status_code == 404, text
            assert answer.json()["error"]["code"] == "model_not_found"
            assert answer.headers["content-type"] == "application/json"
            assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
@pytest.mark.usefixtures("untouched")
def test_model_that_is_no_text_is_refused(world: World, operation: Operation) -> None:
    with world.http("root") as http:
        for value in (None, "", 1, True, ["echo"], {"id": "echo"}, {"$ne": None}, [["echo"]]):
            answer = http.post(f"/v1{operation.path}", json={**body_for(operation), "model": value})
            assert answer.status_code == 400, value


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.required == "messages"], ids=lambda o: o.name)
@pytest.mark.parametrize("first", ["physics", "echo"])
def test_of_two_models_the_one_that_is_checked_is_called(world: World, operation: Operation, first: str) -> None:
    second = "echo" if first == "physics" else "physics"
    rest = json.dumps({"messages": ASK, "max_tokens": 5})[1:]
    text = f'{{"model": "{first}", "m\\u006fdel": "{second}", {rest}'
    before = calls(world)
    with world.http("ada") as http:
        answer = http.post(f"/v1{operation.path}", content=text, headers={"Content-Type": "application/json"})
    if second == "physics":
        assert (answer.status_code, calls(world)) == (404, before)
    elif calls(world) > before and world.upstream.seen.bodies:
        assert list(world.upstream.seen.body).count("model") == 1
        assert world.upstream.seen.body["model"] == "echo"


# ── the host, and what a proxy would have told ──


@pytest.mark.parametrize("host", ["x/#", "x/?#", "evil.example", "127.0.0.1:1", "x@y", "../", "{{7*7}}", "' OR 1=1;--"])
def test_host_changes_nothing_on_any_route(world: World, host: str) -> None:
    for method, path in CALLED:
        request = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        expected = 200 if (method, path) not in GUARDED else 401
        answer = raw(world, request.encode())
        assert statuses(answer) in ([expected], [400]), path
        assert b"location" not in answer.lower()
        assert host.encode() not in answer


def test_forged_proxy_headers_change_nothing_on_any_route(world: World) -> None:
    with world.http(None) as plain, client(world, None, FORGED) as forged:
        for method, path in CALLED:
            expected, answer = plain.request(method, path), forged.request(method, path)
            assert answer.status_code == expected.status_code, path
            assert without_ids(answer) == without_ids(expected)
            assert "evil.example" not in answer.text + str(answer.headers)


def test_forged_proxy_headers_do_not_reach_upstreams(world: World) -> None:
    with client(world, world.token("ada"), FORGED) as http:
        assert http.post("/v1/chat/completions", json={"model": "echo", "messages": ASK}).status_code == 200
        assert http.post("/v1/chat/completions", json={"model": "physics", "messages": ASK}).status_code == 404
    seen = world.upstream.seen.headers[-1]
    assert seen["x-litellm-end-user-id"] == "ada"
    assert not set(seen) & {name.lower() for name in FORGED} - {"x-litellm-end-user-id"}


@pytest.mark.parametrize("protocol", list(Protocol))
def test_of_the_callers_headers_only_a_few_go_upstream(world: World, protocol: Protocol) -> None:
    sent = dict.fromkeys((*HEADERS, "Api_Base", "X-Upstream-Base", "Anthropic-Dangerous-Direct-Browser"), "mine")
    path, model = {
        Protocol.OPENAI: ("/v1/chat/completions", "echo"),
        Protocol.ANTHROPIC: ("/v1/messages", "claude"),
    }[protocol]
    with client(world, world.token("ada"), {**sent, "anthropic-version": "2023-06-01"}) as http:
        assert http.post(path, json={"model": model, "messages": ASK, "max_tokens": 5}).status_code == 200
    seen = (world.upstream if protocol is Protocol.OPENAI else world.anthropic).seen.headers[-1]
    assert "mine" not in seen.values()


# ── fields that would send a call elsewhere ──

REDIRECTION = st.sampled_from(
    ["api_base", "API-Base", "apiBase", "base_url", "user_config", "api_key", "extra_headers", "aws_role_name",
     "vertex_project", "azure_ad_token", "model_list", "fallbacks", "custom_llm_provider", "litellm_params",
     "context_window_fallbacks", "default_fallbacks", "langfuse_host", "langsmith_base_url", "s3_endpoint_url",
     "slack_webhook_url", "arize_api_key", "posthog_api_url", "router_settings_override", "deployment_url",
     "provider_specific_header"]
)  # fmt: skip
OUTER = st.text("abcdefgh_", min_size=1, max_size=8).filter(lambda name: name not in CONTENT | PLAIN)
NESTED = st.recursive(
    REDIRECTION.map(lambda name: {name: "http://169.254.169.254"}),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=2)
        | st.dictionaries(OUTER, inner, min_size=1, max_size=2)
        | inner.map(lambda value: value if isinstance(value, str) else json.dumps(value))
    ),
    max_leaves=4,
)


@given(st.sampled_from(OPERATIONS), OUTER, NESTED)
def test_redirection_is_refused_at_any_depth_on_any_operation(operation: Operation, name: str, value: Any) -> None:
    with pytest.raises(BadRequestError):
        parse(json.dumps({**body_for(operation), name: value}).encode(), operation)


@given(st.sampled_from(OPERATIONS), OUTER, REDIRECTION, st.sampled_from(["NaN", "-Infinity", "1e999", '"\\ud800"']))
def test_redirection_is_refused_in_what_only_python_unpacks(
    operation: Operation, outer: str, name: str, odd: str
) -> None:
    packed = f'{{"{name}": "http://evil.example", "x": {odd}}}'
    for text in (packed, f" [1, {packed}]", json.dumps(packed)):
        with pytest.raises(BadRequestError, match="registration"):
            checked({**body_for(operation), outer: {"a": text}}, operation)
    with pytest.raises(BadRequestError, match="deeply"):
        checked({**body_for(operation), outer: "[" * 2_000 + packed}, operation)
    for harmless in ("{", "[x]", '"Hi", she said', f"{{{name}}}", f"[{odd}]"):
        assert checked({**body_for(operation), outer: harmless}, operation)


# Of all that we answer; the modules have the types in it, too.
OF_SDKS = (
    "openai.types.chat.completion_create_params openai.types.completion_create_params"
    " openai.types.embedding_create_params openai.types.responses.response_create_params"
    " openai.types.image_generate_params openai.types.image_edit_params openai.types.video_create_params"
    " openai.types.audio.speech_create_params openai.types.audio.transcription_create_params"
    " anthropic.types.message_create_params anthropic.types.beta.message_create_params"
    " anthropic.types.message_count_tokens_params"
)
# Of vLLM's, Ollama's, llama.cpp's and Cohere's.
OF_OTHERS = (
    "best_of use_beam_search min_p repetition_penalty length_penalty stop_token_ids include_stop_str_in_output"
    " ignore_eos min_tokens skip_special_tokens spaces_between_special_tokens truncate_prompt_tokens prompt_logprobs"
    " allowed_token_ids bad_words add_generation_prompt continue_final_message add_special_tokens chat_template"
    " chat_template_kwargs mm_processor_kwargs guided_regex guided_choice guided_grammar structural_tag priority"
    " request_id return_tokens_as_token_ids return_token_ids cache_salt kv_transfer_params vllm_xargs"
    " include_reasoning num_ctx num_predict num_gpu mirostat tfs_z keep_alive options think raw template cache_prompt"
    " n_predict typical_p grammar json_schema samplers id_slot top_n rank_fields return_documents max_chunks_per_doc"
    " max_tokens_per_doc input_type truncate embedding_types negative_prompt guidance_scale num_inference_steps"
)


def test_parameters_of_sdks_and_servers_are_no_redirection() -> None:
    """But `fallbacks`, which is Anthropic's, too: other models, whose groups would not be asked."""
    classes = [one for module in OF_SDKS.split() for one in vars(importlib.import_module(module)).values()]
    names = {name for one in classes for name in getattr(one, "__annotations__", ())} | set(OF_OTHERS.split())
    assert len(names) > 150
    assert [name for name in sorted(names) if is_refused({"x": {name: "x"}})] == ["fallbacks"]


def is_refused(more: dict[str, Any]) -> bool:
    try:
        checked({**body_for(CHAT), **more}, CHAT)
    except BadRequestError:
        return True
    return False


@given(st.sampled_from([o for o in OPERATIONS if o.takes_form]), OUTER, REDIRECTION)
def test_redirection_is_refused_in_the_fields_of_a_form(operation: Operation, outer: str, name: str) -> None:
    for field in (name, f"{outer}[{name}]", f"{outer}[a][{name}]", f"{outer}.{name}", f"{name}[]", f"{name}[{outer}]"):
        with pytest.raises(BadRequestError):
            checked({**body_for(operation), field: "http://169.254.169.254"}, operation)
    with pytest.raises(BadRequestError):
        checked({**body_for(operation), outer: json.dumps({"a": [{name: "x"}]})}, operation)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
@pytest.mark.parametrize("name", ["messages", "input", "prompt", "tools", "system", "model", "x", ""])
def test_list_under_its_name_in_forms_is_refused_in_json(operation: Operation, name: str) -> None:
    """Whatever checks a body reads `messages`; whatever took `messages[]` for it would read another one."""
    for field in (f"{name}[]", f"{name}[][]"):
        with pytest.raises(BadRequestError, match="leave"):
            parse(json.dumps({**body_for(operation), field: ASK}).encode(), operation)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_search_for_redirection_ends(operation: Operation) -> None:
    """It keeps everybody waiting, and nobody is asked for a limit before it."""
    body = body_for(operation)
    many: list[Any] = [{}] * MAX_VALUES
    hidden: Any = json.dumps(many)
    names = {f"x{number}": 1 for number in range(MAX_VALUES)}
    for more in ({"x": [many, many]}, {"x": names | {"y": 1}}, names, {"x": hidden}, {"x": [{"y": [hidden]}]}):
        with pytest.raises(BadRequestError, match="50,000 values"):
            checked({**body, **more}, operation)
    assert checked({**body, "x": many[:-100]}, operation)
    assert checked({**body, "documents": [many, many, hidden]}, operation)


@given(st.sampled_from(OPERATIONS), st.sampled_from(sorted(CONTENT - {"model", "lisa", "messages"})), REDIRECTION)
def test_what_is_written_for_the_model_stays_content(operation: Operation, field: str, name: str) -> None:
    body = {**body_for(operation), field: {"properties": {name: {"type": "string"}}}}
    assert parse(json.dumps(body).encode(), operation)[field] == body[field]


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.takes_form], ids=lambda operation: operation.name)
@pytest.mark.parametrize("field", ["api_base", "metadata[api_base]", "extra_body", "litellm_params[model]"])
@pytest.mark.usefixtures("untouched")
def test_forms_that_redirect_do_not_leave(world: World, operation: Operation, field: str) -> None:
    value = '{"api_base": "http://evil.example"}' if field == "extra_body" else "http://evil.example"
    fields = {**{name: str(text) for name, text in body_for(operation).items() if name != "messages"}, field: value}
    with world.http("root") as http:
        answer = http.post(f"/v1{operation.path}", data=fields, files={"file": b"x", "image": b"x"})
    assert answer.status_code == 400
    assert "registration" in answer.json()["message"]


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.takes_form], ids=lambda operation: operation.name)
@pytest.mark.usefixtures("untouched")
def test_form_with_two_models_is_refused(world: World, operation: Operation) -> None:
    fields = {name: str(text) for name, text in body_for(operation).items()} | {"model": ["echo", "physics"]}
    with world.http() as http:
        answer = http.post(f"/v1{operation.path}", data=fields, files={"file": b"x", "image": b"x"})
    assert answer.status_code == 400


@pytest.mark.parametrize("query", ["api_base=http://evil.example", "model=physics", "api-version=1&api_key=x", "?//"])
def test_query_stays_here(world: World, query: str) -> None:
    with world.http() as http:
        answer = http.post(f"/v1/chat/completions?{query}", json={"model": "echo", "messages": ASK})
    assert answer.status_code == 200
    assert "?" not in world.upstream.seen.paths[-1]
    assert world.upstream.seen.body["model"] == "echo"
