"""Creating a video: six strict parameters, as JSON and as a form."""

from __future__ import annotations

from base64 import b64encode

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account, File
from . import steps


def metadata_of(account: Account, video_id: str) -> Json:
    """What the provider keeps with a job, which no answer of its own shows."""
    job = steps.accepted(account.world.control.get(f"{account.world.path}/jobs/{video_id}"))
    return job["details"]["metadata"]


@pytest.mark.clause("ZN-001", "ZN-003", "ZN-005", "ZN-030", "ZN-045")
def test_the_sample_of_the_document_is_accepted(znapai: Account) -> None:
    """Z17: with status 200."""
    body = {
        "model": "sora-2",
        "prompt": "A drone flies over a city in the rain",
        "size": "1280x720",
        "seconds": "4",
        "metadata": {"user_id": "test-user", "project": "video-api-testing"},
    }

    made = steps.accepted(znapai.client.post("/v1/videos", json=body))

    assert made["id"].startswith("video_")
    assert len(made["id"]) == len("video_") + 32
    assert (made["object"], made["status"], made["progress"]) == ("video", "queued", 0)


@pytest.mark.clause("ZN-004", "ZN-067")
def test_model_is_required(znapai: Account) -> None:
    answer = znapai.client.post(steps.VIDEOS, json={"prompt": steps.PROMPT})

    assert answer.status == 400
    assert answer.json()["error"] == {
        "message": (
            "{'error': '/videos: Invalid model name passed in model=None. "
            "Call `/v1/models` to view available models for your key.'}"
        ),
        "type": "None",
        "param": "None",
        "code": "400",
    }


@pytest.mark.clause("ZN-006")
@pytest.mark.parametrize("model", ["sora-2-pro", "sora", "SORA-2", "", 2, None, ["sora-2"]])
def test_other_models_are_refused(znapai: Account, model: Json) -> None:
    """Z16: sora-2-pro too, which OpenAI has."""
    answer = znapai.client.post(steps.VIDEOS, json={**steps.LEAST, "model": model})

    assert answer.status == 400
    assert "Invalid model name passed in model=" in answer.json()["error"]["message"]


@pytest.mark.clause("ZN-006")
def test_the_model_is_judged_before_the_parameters(znapai: Account) -> None:
    """The proxy routes by it; only the upstream looks at the rest."""
    body = {"model": "sora-3", "prompt": 7, "duration": "4"}

    answer = znapai.client.post(steps.VIDEOS, json=body)

    assert "model=sora-3" in answer.json()["error"]["message"]


@pytest.mark.clause("ZN-007", "ZN-028")
def test_prompt_is_required(znapai: Account) -> None:
    answer = znapai.client.post(steps.VIDEOS, json={"model": "sora-2"})

    assert steps.refusal(answer) == (400, "prompt", "missing_required_parameter")


@pytest.mark.clause("ZN-008", "ZN-026")
@pytest.mark.parametrize(
    ("prompt", "detail"),
    [
        (7, "an integer"),
        (1.5, "a decimal"),
        (True, "a boolean"),
        (None, "null"),
        ([], "an array"),
        ({}, "an object"),
    ],
)
def test_prompt_is_a_text(znapai: Account, prompt: Json, detail: str) -> None:
    answer = znapai.client.post(steps.VIDEOS, json={"model": "sora-2", "prompt": prompt})

    message = f"Invalid type for 'prompt': expected a string, but got {detail} instead."
    assert steps.wrapped(answer) == {
        "message": message,
        "type": "invalid_request_error",
        "param": "prompt",
        "code": "invalid_type",
    }


@pytest.mark.clause("ZN-008")
@pytest.mark.parametrize(
    ("length", "code"), [(0, "empty_string"), (32_001, "string_above_max_length")]
)
def test_prompt_has_1_to_32000_characters(znapai: Account, length: int, code: str) -> None:
    answer = znapai.client.post(steps.VIDEOS, json={**steps.LEAST, "prompt": "x" * length})

    assert steps.refusal(answer) == (400, "prompt", code)
    assert steps.create(znapai, prompt="x")["prompt"] == "x"
    assert steps.create(znapai, prompt="é" * 32_000)["prompt"] == "é" * 32_000


@pytest.mark.clause("ZN-009", "ZN-015")
def test_length_and_size_have_defaults(znapai: Account) -> None:
    """Z14: those of OpenAI."""
    made = steps.create(znapai)

    assert (made["seconds"], made["size"]) == ("4", "720x1280")


@pytest.mark.clause("ZN-011", "ZN-012", "ZN-013", "ZN-039")
@pytest.mark.parametrize("seconds", ["4", "8", "12"])
def test_three_lengths_are_taken(znapai: Account, seconds: str) -> None:
    assert steps.create(znapai, seconds=seconds)["seconds"] == seconds


@pytest.mark.clause("ZN-010", "ZN-026", "ZN-028", "ZN-029")
def test_length_as_a_number_is_refused(znapai: Account) -> None:
    answer = znapai.client.post(steps.VIDEOS, json={**steps.LEAST, "seconds": 4})

    assert steps.wrapped(answer) == {
        "message": (
            "Invalid type for 'seconds': expected one of '4', '8', or '12', "
            "but got an integer instead."
        ),
        "type": "invalid_request_error",
        "param": "seconds",
        "code": "invalid_type",
    }


@pytest.mark.clause("ZN-014")
@pytest.mark.parametrize("seconds", ["5", "10", "", "04", "4.0", " 4", "four"])
def test_other_lengths_are_refused(znapai: Account, seconds: str) -> None:
    answer = znapai.client.post(steps.VIDEOS, json={**steps.LEAST, "seconds": seconds})

    assert steps.refusal(answer) == (400, "seconds", "invalid_value")


@pytest.mark.clause("ZN-016", "ZN-017", "ZN-018", "ZN-019", "ZN-040")
@pytest.mark.parametrize("size", ["720x1280", "1280x720", "1024x1792", "1792x1024"])
def test_four_sizes_are_taken(znapai: Account, size: str) -> None:
    assert steps.create(znapai, size=size)["size"] == size


@pytest.mark.clause("ZN-020", "ZN-027", "ZN-028", "ZN-029")
def test_full_hd_is_refused(znapai: Account) -> None:
    answer = znapai.client.post(steps.VIDEOS, json={**steps.LEAST, "size": "1920x1080"})

    assert steps.wrapped(answer) == {
        "message": (
            "Invalid value: '1920x1080'. Supported values are: '720x1280', '1280x720', "
            "'1024x1792', and '1792x1024'."
        ),
        "type": "invalid_request_error",
        "param": "size",
        "code": "invalid_value",
    }


@pytest.mark.clause("ZN-027")
@pytest.mark.parametrize("size", ["1280X720", "1280*720", "720p", "", "16:9", "1024x1024"])
def test_other_sizes_are_refused(znapai: Account, size: str) -> None:
    answer = znapai.client.post(steps.VIDEOS, json={**steps.LEAST, "size": size})

    assert steps.refusal(answer) == (400, "size", "invalid_value")


@pytest.mark.clause("ZN-025", "ZN-028", "ZN-029", "ZN-067")
def test_duration_in_place_of_seconds_is_wrapped_to_the_last_byte(znapai: Account) -> None:
    """The proxy's answer as it was measured; clients search it for words."""
    answer = znapai.client.post(steps.VIDEOS, json={**steps.LEAST, "duration": "4"})

    assert answer.status == 400
    assert answer.text == (
        '{"error":{"message":"litellm.BadRequestError: litellm.ContentPolicyViolationError: '
        "litellm.ContentPolicyViolationError: AzureException - "
        '{\\"error\\": {\\"message\\": \\"Unknown parameter: \'duration\'.\\", '
        '\\"type\\": \\"invalid_request_error\\", \\"param\\": \\"duration\\", '
        '\\"code\\": \\"unknown_parameter\\"}}\\nmodel=sora-2. content_policy_fallback=None. '
        "fallbacks=None.\\n\\nSet 'content_policy_fallback' - "
        "https://docs.litellm.ai/docs/routing#fallbacks. Received Model Group=sora-2\\n"
        'Available Model Group Fallbacks=None","type":null,"param":null,"code":"400",'
        '"provider_specific_fields":{"innererror":null}}}'
    )


@pytest.mark.clause("ZN-026")
@pytest.mark.parametrize("name", ["n", "quality", "aspect_ratio", "Seconds", "metadata[a]"])
def test_unknown_parameters_are_refused(znapai: Account, name: str) -> None:
    answer = znapai.client.post(steps.VIDEOS, json={**steps.LEAST, name: "x"})

    assert steps.refusal(answer) == (400, name, "unknown_parameter")


@pytest.mark.clause("ZN-026")
def test_user_is_taken(znapai: Account) -> None:
    """Z18: OpenAI takes it everywhere."""
    assert steps.create(znapai, user="u_1")["status"] == "queued"


@pytest.mark.clause("ZN-021")
@pytest.mark.parametrize(
    "url", ["https://media.example.org/boat.png", "http://media.example.org/a?b=c#d"]
)
def test_reference_may_be_a_url(znapai: Account, url: str) -> None:
    assert steps.create(znapai, input_reference=url)["status"] == "queued"


@pytest.mark.clause("ZN-022")
@pytest.mark.parametrize("head", ["", "data:image/png;base64,"])
@pytest.mark.parametrize("picture", [steps.PNG, steps.JPEG, steps.WEBP])
def test_reference_may_be_base64(znapai: Account, head: str, picture: bytes) -> None:
    reference = head + b64encode(picture).decode()

    assert steps.create(znapai, input_reference=reference)["status"] == "queued"


@pytest.mark.clause("ZN-021", "ZN-022")
@pytest.mark.parametrize(
    "reference", ["boat.png", "", "ftp://example.org/a.png", "aGVsbG8gd29ybGQ=", "https://"]
)
def test_reference_other_than_a_picture_is_refused(znapai: Account, reference: str) -> None:
    answer = znapai.client.post(steps.VIDEOS, json={**steps.LEAST, "input_reference": reference})

    assert steps.refusal(answer) == (400, "input_reference", "invalid_value")


@pytest.mark.clause("ZN-026")
def test_reference_as_an_object_is_refused(znapai: Account) -> None:
    """Z23: the document says that it is a text."""
    body = {**steps.LEAST, "input_reference": {"image_url": "https://example.org/a.png"}}

    answer = znapai.client.post(steps.VIDEOS, json=body)

    assert steps.refusal(answer) == (400, "input_reference", "invalid_type")


@pytest.mark.clause("ZN-023")
@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"project": "p", "user_id": "u", "environment": "staging"},
        {"a": {"b": {"c": [1, 2.5, None, True, "x"]}}, "": ""},
    ],
)
def test_metadata_may_be_any_object(znapai: Account, metadata: Json) -> None:
    """Z11: it is kept, and no answer shows it."""
    made = steps.create(znapai, metadata=metadata)

    assert "metadata" not in made
    assert metadata_of(znapai, made["id"]) == metadata


@pytest.mark.clause("ZN-024", "ZN-026")
@pytest.mark.parametrize("metadata", ["text", 7, True, None, ["a"], '{"a": 1}'])
def test_metadata_other_than_an_object_is_refused(znapai: Account, metadata: Json) -> None:
    """Z12."""
    answer = znapai.client.post(steps.VIDEOS, json={**steps.LEAST, "metadata": metadata})

    assert steps.refusal(answer) == (400, "metadata", "invalid_type")


@pytest.mark.clause("ZN-003", "ZN-067")
@pytest.mark.parametrize("raw", [b"{bad json", b"", b"[]", b'"text"', b"\xff"])
def test_body_other_than_a_json_object_is_the_proxys_own_400(znapai: Account, raw: bytes) -> None:
    headers = {"Content-Type": "application/json"}

    answer = znapai.client.post(steps.VIDEOS, raw=raw, headers=headers)

    error = answer.json()["error"]
    assert answer.status == 400
    assert error.pop("message").startswith("Invalid JSON payload: ")
    assert error == {"type": "invalid_request_error", "param": "request_body", "code": "400"}


@pytest.mark.clause("ZN-003")
def test_other_content_types_are_refused(znapai: Account) -> None:
    headers = {"Content-Type": "text/plain"}

    answer = znapai.client.post(steps.VIDEOS, raw=b"model=sora-2", headers=headers)

    assert (answer.status, answer.json()["error"]["param"]) == (400, "request_body")


@pytest.mark.clause("ZN-056", "ZN-030")
def test_form_gives_the_same_job_as_json(znapai: Account) -> None:
    form = {"model": "sora-2", "prompt": steps.PROMPT, "seconds": "8", "size": "1280x720"}

    made = steps.accepted(znapai.client.post(steps.VIDEOS, form=form))

    assert (made["prompt"], made["seconds"], made["size"]) == (steps.PROMPT, "8", "1280x720")


@pytest.mark.clause("ZN-058")
@pytest.mark.parametrize("picture", [steps.PNG, steps.JPEG, steps.WEBP])
def test_form_may_carry_a_picture(znapai: Account, picture: bytes) -> None:
    form = {"model": "sora-2", "prompt": steps.PROMPT, "input_reference": File("boat", picture)}

    assert steps.accepted(znapai.client.post(steps.VIDEOS, form=form))["status"] == "queued"


@pytest.mark.clause("ZN-058")
@pytest.mark.parametrize("content", [b"", b"no picture at all", b"GIF89a....", b"\x89PN"])
def test_file_other_than_a_picture_is_refused(znapai: Account, content: bytes) -> None:
    """Z24: whatever its declared type."""
    file = File("boat.png", content, "image/png")
    form = {"model": "sora-2", "prompt": steps.PROMPT, "input_reference": file}

    answer = znapai.client.post(steps.VIDEOS, form=form)

    assert steps.refusal(answer) == (400, "input_reference", "invalid_value")


@pytest.mark.clause("ZN-022")
def test_base64_in_a_form_may_be_as_long_as_a_picture(znapai: Account) -> None:
    """Pictures are larger than the 500,000 bytes that frameworks allow a form's text."""
    reference = b64encode(steps.PNG + bytes(1_000_000)).decode()
    form = {"model": "sora-2", "prompt": steps.PROMPT, "input_reference": reference}

    assert steps.accepted(znapai.client.post(steps.VIDEOS, form=form))["status"] == "queued"


@pytest.mark.clause("ZN-023")
@pytest.mark.parametrize(
    ("parts", "kept"),
    [
        ({"metadata": '{"a": {"b": 1}}'}, {"a": {"b": 1}}),
        ({"metadata[a][b]": "c"}, {"a": {"b": "c"}}),
        ({"metadata[a]": "1", "metadata[b][c]": "2"}, {"a": "1", "b": {"c": "2"}}),
        ({"metadata": '{"a": 1}', "metadata[b]": "2"}, {"a": 1, "b": "2"}),
        ({"metadata[a]": "1", "metadata[a][b]": "2"}, {"a": {"b": "2"}}),
    ],
)
def test_metadata_of_a_form(znapai: Account, parts: dict[str, str], kept: Json) -> None:
    """Z13: JSON text, or the parts that client libraries make of an object."""
    form = {"model": "sora-2", "prompt": steps.PROMPT, **parts}

    made = steps.accepted(znapai.client.post(steps.VIDEOS, form=form))

    assert metadata_of(znapai, made["id"]) == kept


@pytest.mark.clause("ZN-024")
@pytest.mark.parametrize("text", ["text", "7", "[1]", "null", '{"a": ', ""])
def test_metadata_of_a_form_other_than_an_object_is_refused(znapai: Account, text: str) -> None:
    form = {"model": "sora-2", "prompt": steps.PROMPT, "metadata": text}

    answer = znapai.client.post(steps.VIDEOS, form=form)

    assert steps.refusal(answer) == (400, "metadata", "invalid_type")


@pytest.mark.clause("ZN-024")
@pytest.mark.parametrize("name", ["metadata", "metadata[a]", "metadata[a][b]"])
def test_metadata_is_not_a_file(znapai: Account, name: str) -> None:
    file = File("a.json", b"{}", "application/json")
    form = {"model": "sora-2", "prompt": steps.PROMPT, name: file}

    answer = znapai.client.post(steps.VIDEOS, form=form)

    assert steps.refusal(answer) == (400, name, "invalid_type")


@pytest.mark.clause("ZN-014", "ZN-025", "ZN-027", "ZN-056")
@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("seconds", "5", "invalid_value"),
        ("size", "1920x1080", "invalid_value"),
        ("duration", "4", "unknown_parameter"),
        ("input_reference[image_url]", "https://example.org/a.png", "unknown_parameter"),
    ],
)
def test_form_is_judged_as_strictly_as_json(
    znapai: Account, name: str, value: str, code: str
) -> None:
    form = {"model": "sora-2", "prompt": steps.PROMPT, name: value}

    answer = znapai.client.post(steps.VIDEOS, form=form)

    assert steps.refusal(answer) == (400, name, code)


@pytest.mark.clause("ZN-030")
def test_nothing_is_made_when_a_call_is_refused(znapai: Account) -> None:
    znapai.client.post(steps.VIDEOS, json={**steps.LEAST, "seconds": 4})

    assert steps.accepted(znapai.client.get(steps.VIDEOS))["data"] == []


@pytest.mark.clause("ZN-022")
def test_body_beyond_the_limit_is_413(znapai: Account) -> None:
    """Z29."""
    picture = File("boat.png", steps.PNG + bytes(20_971_520), "image/png")
    form = {"model": "sora-2", "prompt": steps.PROMPT, "input_reference": picture}

    answer = znapai.client.post(steps.VIDEOS, form=form)

    assert (answer.status, answer.json()["error"]["code"]) == (413, "413")
