"""How Oshara refuses: messages by field for forms, one sentence for the rest.

None of it is documented. The words are those of the web framework behind the API, as measured with
its current versions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from screentest.specs.json_types import Json
from screentest.specs.openapi.validation import Violation

from ...answers.refusals import from_contract
from ...engine.keys import key_digest
from ...engine.provider import Call, Provider, Refusal, Reply, Upload
from ...kernel.bodies import BodyError, read_json
from ...media.file_types import file_type
from ...media.picture_headers import picture_size

provider = Provider("oshara")

_PAGE = b"""
<!doctype html>
<html lang="en">
<head>
  <title>Not Found</title>
</head>
<body>
  <h1>Not Found</h1><p>The requested resource was not found on this server.</p>
</body>
</html>
"""

#: Fields that must be file parts, with the contract's list of what their first bytes may say.
_FILES = {"avatar": "avatar_types", "reference_audio": "audio_types", "audio": "audio_types"}

#: By the rule that was broken; `{limit}` is the rule's own figure.
_MESSAGES = {
    "required": "This field is required.",
    "minLength": "This field may not be blank.",
    "pattern": "This field may not be blank.",
    "maxLength": "Ensure this field has no more than {limit} characters.",
    "type": "Not a valid string.",
    "file": "The submitted data was not a file. Check the encoding type on the form.",
    "empty": "The submitted file is empty.",
    "avatar_types": (
        "Upload a valid image. The file you uploaded was either not an image or a corrupted image."
    ),
    "audio_types": "Upload a valid audio file. Allowed types are: wav, mp3.",
    "json": "Value must be valid JSON.",
    "both": "Give either a reference_audio or a reference_voice, not both.",
}

# Rules that a schema cannot express


@provider.check("createVideoJob")
@provider.check("createVideoOnlyJob")
def check_form(call: Call) -> Sequence[Violation]:
    _must_accept_json(call)
    return _form_problems(call)


@provider.check("listVideoJobs")
@provider.check("getVideoJob")
@provider.check("getVideoOnlyJob")
@provider.check("getVideoJobStats")
def check_read(call: Call) -> Sequence[Violation]:
    _must_accept_json(call)
    return []


@provider.tolerates
def waives(call: Call, violation: Violation) -> bool:
    """Left-out fields of HTML forms (S31), and titles that fit once they are trimmed (S32)."""
    value = (call.request.form or {}).get(violation.field)
    if violation.field == "reference_voice":
        return _is_left_out(call, violation.field, value)
    if violation.field != "title" or violation.keyword != "maxLength":
        return False
    is_trimmed = call.ctx.reading("surrounding_space") == "trimmed"
    return is_trimmed and isinstance(value, str) and len(value.strip()) <= violation.limit


def _is_left_out(call: Call, name: str, value: str | Upload | None) -> bool:
    """Whether *value* is what a form sends for an optional field without a value (S31)."""
    is_optional = name in {"reference_audio", "reference_voice"}
    return is_optional and value == "" and call.ctx.reading("blank_fields") == "absent"


def _must_accept_json(call: Call) -> None:
    """Refuse a client that accepts no JSON, if that is the reading (S30)."""
    named = call.request.headers.get("accept", "*/*").split(",")
    types = {entry.partition(";")[0].strip().lower() for entry in named}
    is_strict = call.ctx.reading("accept_header") == "406"
    if is_strict and not types & {"", "*/*", "application/*", "application/json"}:
        raise call.refuse("not_acceptable")


def _form_problems(call: Call) -> list[Violation]:
    """What is wrong with the files, the voice and the parameters of a form, one for each field."""
    form = call.request.form or {}
    (schema,) = call.operation.bodies.values()
    known = [name for name in schema.schema["properties"] if name in form]
    found = [_voice_problem(call), *(_field_problem(call, name, form[name]) for name in known)]
    return [problem for problem in found if problem is not None]


def _voice_problem(call: Call) -> Violation | None:
    """Two voices (S8) or none (S9), if the reading asks for exactly one."""
    if call.operation.id != "createVideoJob":
        return None
    form = call.request.form or {}
    given = {name for name in ("reference_audio", "reference_voice") if name in form}
    given -= {name for name in given if _is_left_out(call, name, form[name])}
    if len(given) == 2 and call.ctx.reading("both_voices") == "refuse":
        return Violation("body", "/reference_audio", "both", "no saved voice beside it", "one")
    if not given and call.ctx.reading("no_voice") == "refuse":
        return _missing("reference_audio")
    return None


def _field_problem(call: Call, name: str, value: str | Upload) -> Violation | None:
    if _is_left_out(call, name, value):
        return None
    if name in _FILES:
        return _file_problem(call, name, value)
    if name == "processing_params" and not _is_json(value):
        return Violation("body", f"/{name}", "json", "JSON text", "something else")
    if name == "reference_voice" and call.ctx.reading("known_voices") == "first_three":
        saved = call.ctx.behaviour.facts["saved_voices"]
        if value not in {str(voice) for voice in saved}:
            return Violation("body", f"/{name}", "saved", f"one of {saved}", str(value)[:20])
    return None


def _file_problem(call: Call, name: str, value: str | Upload) -> Violation | None:
    if not isinstance(value, Upload):
        return Violation("body", f"/{name}", "file", "a file part", "a text part")
    if value.size == 0:
        return Violation("body", f"/{name}", "empty", "at least one byte", "none")
    kinds, check = _FILES[name], call.ctx.reading("avatar_check")
    is_picture = kinds == "avatar_types"
    is_lenient = is_picture and check == "any_picture"
    allowed = call.ctx.behaviour.facts["picture_types" if is_lenient else kinds]
    actual = file_type(value.head, value.path)
    needs_header = is_picture and check != "first_bytes"
    if actual in allowed and (not needs_header or picture_size(value.path) is not None):
        return None
    return Violation("body", f"/{name}", kinds, " or ".join(allowed), actual or "something else")


def _is_json(value: str | Upload) -> bool:
    if not isinstance(value, str):
        return False
    try:
        read_json(value.encode(errors="replace"))
    except BodyError:
        return False
    return True


# Words


@provider.refusal
def shape(call: Call, refusal: Refusal) -> Reply | None:
    """The framework's answer; in the envelope of the other endpoints if that is the reading."""
    if refusal.reason.startswith("fault:"):
        return None
    if refusal.reason == "unknown_route" and call.ctx.reading("unknown_path") == "html":
        status = call.ctx.behaviour.refusals[refusal.reason].status
        return Reply(status, _PAGE, content_type="text/html; charset=utf-8")
    reply = from_contract(call, refusal)
    if refusal.reason == "wrong_method" and "GET" in reply.headers["Allow"]:
        reply.headers["Allow"] += ", HEAD"
    word = _WORDS.get(refusal.reason)
    reply.body = word(call, refusal) if word is not None else reply.body
    if call.ctx.reading("error_form") == "envelope":
        message = reply.body.get("detail", "Invalid input.")
        reply.body = {"success": False, "message": message, "data": None, "errors": reply.body}
    return reply


def _invalid(call: Call, refusal: Refusal) -> Json:
    """Every wrong field with its message. The violations of the schema come first."""
    found = list(refusal.violations)
    (schema,) = call.operation.bodies.values()
    if any(not violation.field for violation in found):
        if call.body is not None:
            words = f"Invalid data. Expected a dictionary, but got {type(call.body).__name__}."
            return {"non_field_errors": [words]}
        found = [_missing(name) for name in schema.schema["required"]]
    if call.request.form is not None:
        found += _form_problems(call)
    messages: dict[str, list[str]] = {}
    for violation in found:
        messages.setdefault(violation.field, [_message(violation)])
    return {name: messages[name] for name in schema.schema["properties"] if name in messages}


def _missing(name: str) -> Violation:
    return Violation("body", f"/{name}", "required", "a value", "nothing")


def _message(violation: Violation) -> str:
    keyword, field = violation.keyword, violation.field
    if field == "reference_voice":
        if keyword == "type":
            return "Incorrect type. Expected pk value, received str."
        return f'Invalid pk "{violation.actual}" - object does not exist.'
    if keyword == "required" and field in _FILES:
        return "No file was submitted."
    if keyword == "type" and violation.actual.startswith("null"):
        return "This field may not be null."
    return _MESSAGES[keyword].replace("{limit}", str(violation.limit))


def _missing_token(call: Call, refusal: Refusal) -> Json:
    """A header with the right scheme and no token has a message of its own."""
    if call.request.headers.get("authorization", "").strip().lower() == "bearer":
        return _BAD_HEADER
    return {"detail": "Authentication credentials were not provided."}


def _unknown_token(call: Call, refusal: Refusal) -> Json:
    sent = str(refusal.facts["sent"])
    if len(sent.split()) != 1:
        return _BAD_HEADER
    key = call.ctx.rows.keys.get(key_digest(sent))
    is_refresh = key is not None and key.kind == "refresh"
    return _bad_token("Token has wrong type" if is_refresh else "Token is invalid")


def _expired_token(call: Call, refusal: Refusal) -> Json:
    return _bad_token("Token is expired")


def _bad_token(message: str) -> Json:
    return {
        "detail": "Given token not valid for any token type",
        "code": "token_not_valid",
        "messages": [{"token_class": "AccessToken", "token_type": "access", "message": message}],
    }


def _unreadable(call: Call, refusal: Refusal) -> Json:
    problem = refusal.facts["problem"]
    if not call.request.content_type.startswith("multipart/"):
        return {"detail": f"JSON parse error - {problem}"}
    if "boundary=" not in call.request.headers["content-type"]:
        problem = "Invalid boundary in multipart: None"
    return {"detail": f"Multipart form parse error - {problem}"}


def _not_found(call: Call, refusal: Refusal) -> Json:
    is_number = str(refusal.facts["id"]).isdecimal()
    if is_number and call.ctx.reading("not_found_text") == "no_match":
        return {"detail": f"No {refusal.facts['resource']} matches the given query."}
    return {"detail": "Not found."}


_BAD_HEADER: Mapping[str, Json] = {
    "detail": "Authorization header must contain two space-delimited values",
    "code": "bad_authorization_header",
}
_WORDS = {
    "invalid": _invalid,
    "missing_credential": _missing_token,
    "unknown_credential": _unknown_token,
    "expired_credential": _expired_token,
    "malformed_body": _unreadable,
    "not_found": _not_found,
}
