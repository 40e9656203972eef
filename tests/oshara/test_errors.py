"""Errors in general: the framework's words, always JSON where there is a call to answer."""

from __future__ import annotations

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account, File
from . import steps


@pytest.mark.clause("OS-064")
@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", steps.JOBS, None, 400),
        ("POST", steps.JOBS, {"title": "Product Demo"}, 415),
        ("POST", steps.VIDEO_ONLY, None, 400),
        ("GET", steps.NO_JOB, None, 404),
        ("DELETE", steps.JOBS, None, 405),
        ("POST", steps.LOGIN, {}, 400),
        ("POST", steps.REFRESH, {"refresh": "nonsense"}, 401),
    ],
)
def test_error_is_a_json_object(
    oshara: Account, method: str, path: str, body: Json, status: int
) -> None:
    answer = oshara.client.request(method, path, json=body)

    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    assert isinstance(answer.json(), dict)
    assert answer.json()


@pytest.mark.clause("OS-062")
@pytest.mark.parametrize("path", [steps.JOBS, steps.VIDEO_ONLY])
@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/x-www-form-urlencoded", "text/plain", "image/jpeg"],
)
def test_job_other_than_a_form_is_415(oshara: Account, path: str, content_type: str) -> None:
    """S13."""
    answer = oshara.client.post(
        path, raw=b'{"title": "Product Demo"}', headers={"Content-Type": content_type}
    )

    assert answer.status == 415
    assert answer.json() == {"detail": f'Unsupported media type "{content_type}" in request.'}
    assert steps.stats(oshara)["total"] == 0


@pytest.mark.clause("OS-063")
@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", steps.JOBS, "GET, POST, HEAD"),
        ("PATCH", steps.JOBS, "GET, POST, HEAD"),
        ("DELETE", steps.JOBS, "GET, POST, HEAD"),
        ("PUT", "{job}", "GET, HEAD"),
        ("PATCH", "{job}", "GET, HEAD"),
        ("DELETE", "{job}", "GET, HEAD"),
        ("POST", "{job}", "GET, HEAD"),
        ("POST", steps.STATS, "GET, HEAD"),
        ("DELETE", steps.VIDEO_ONLY, "POST"),
        ("GET", steps.LOGIN, "POST"),
    ],
)
def test_method_that_a_path_does_not_have_is_405(
    oshara: Account, method: str, path: str, allow: str
) -> None:
    """S17."""
    job = steps.create(oshara)

    answer = oshara.client.request(method, path.format(job=steps.path_of(job)))

    assert answer.status == 405
    assert answer.json() == {"detail": f'Method "{method}" not allowed.'}
    assert answer.headers["allow"] == allow


@pytest.mark.clause("OS-063")
def test_head_is_answered_like_get_without_a_body(oshara: Account) -> None:
    answer = oshara.client.request("HEAD", steps.JOBS)

    assert (answer.status, answer.content) == (200, b"")


@pytest.mark.clause("OS-064")
@pytest.mark.parametrize("path", [steps.JOBS, steps.STATS])
@pytest.mark.parametrize("accepts", ["application/xml", "text/html, image/*;q=0.8"])
def test_client_that_accepts_no_json_is_406(oshara: Account, path: str, accepts: str) -> None:
    """S30."""
    answer = oshara.client.get(path, headers={"Accept": accepts})

    assert answer.status == 406
    assert answer.json() == {"detail": "Could not satisfy the request Accept header."}


@pytest.mark.clause("OS-064")
@pytest.mark.parametrize(
    "accepts",
    [
        "*/*",
        "application/json",
        "Application/JSON; indent=4",
        "text/html, */*;q=0.1",
        "application/*",
    ],
)
def test_client_that_accepts_json_among_others_gets_it(oshara: Account, accepts: str) -> None:
    """S30."""
    answer = oshara.client.get(steps.JOBS, headers={"Accept": accepts})

    assert (answer.status, answer.json()) == (200, [])


@pytest.mark.clause("OS-006", "OS-064")
def test_form_without_a_boundary_is_400(oshara: Account) -> None:
    answer = oshara.client.post(
        steps.JOBS, raw=b"--x\r\n", headers={"Content-Type": "multipart/form-data"}
    )

    assert answer.status == 400
    assert answer.json() == {
        "detail": "Multipart form parse error - Invalid boundary in multipart: None"
    }


@pytest.mark.clause("OS-006", "OS-064")
@pytest.mark.parametrize(
    "raw",
    [
        b"not a form",
        b"--x\r\nContent-Disposition: form-data; name=title",
        b"--x\r\n\r\nno name\r\n--x--\r\n",
    ],
)
def test_form_that_cannot_be_read_is_400(oshara: Account, raw: bytes) -> None:
    answer = oshara.client.post(
        steps.JOBS, raw=raw, headers={"Content-Type": "multipart/form-data; boundary=x"}
    )

    assert answer.status == 400
    assert isinstance(answer.json(), dict)
    assert steps.stats(oshara)["total"] == 0


@pytest.mark.clause("OS-009", "OS-064")
def test_upload_of_more_than_50_mib_is_413(oshara: Account) -> None:
    """S25: exactly 50 MiB passes."""
    content = steps.JPEG.content.ljust(52_428_800, b"\x00")

    passes = oshara.client.post(
        steps.JOBS, form={**steps.LEAST, "avatar": File("a.jpg", content, "image/jpeg")}
    )
    refused = oshara.client.post(
        steps.JOBS, form={**steps.LEAST, "avatar": File("a.jpg", content + b"x", "image/jpeg")}
    )

    assert passes.status == 201
    assert refused.status == 413
    assert "52428800" in refused.json()["detail"]


@pytest.mark.clause("OS-064")
@pytest.mark.parametrize("path", ["/", "/api/", "/api/nothing/here/", "/api/video-jobs/1/2/"])
def test_path_that_is_not_routed_is_answered_with_a_page(oshara: Account, path: str) -> None:
    """S27: no call of the API, so the framework answers in its own way."""
    answer = oshara.client.get(path)

    assert answer.status == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<h1>Not Found</h1>" in answer.text


@pytest.mark.clause("OS-064")
def test_refused_content_is_400_in_the_same_form(oshara: Account) -> None:
    form = {**steps.LEAST, "text_content": "[[screentest:reject=That script is not allowed.]]"}

    answer = oshara.client.post(steps.JOBS, form=form)

    assert answer.status == 400
    assert answer.json() == {"non_field_errors": ["That script is not allowed."]}


@pytest.mark.clause("OS-064")
@pytest.mark.parametrize("status", [429, 500, 503])
def test_injected_error_has_the_same_form_and_passes(oshara: Account, status: int) -> None:
    steps.fault(oshara.world, "http_error", "listVideoJobs", status=status, retry_after_s=7)

    failed = oshara.client.get(steps.JOBS)
    again = oshara.client.get(steps.JOBS)

    assert (failed.status, again.status) == (status, 200)
    assert failed.headers["retry-after"] == "7"
    assert isinstance(failed.json()["detail"], str)
