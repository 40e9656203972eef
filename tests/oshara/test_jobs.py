"""What becomes of a job: its states over time, its video, and who may see it."""

from __future__ import annotations

from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest

from screentest.mock_server.media.clips import stamp_of

from ..mock_client import HOUR_MS, Account
from . import steps

ORDER = ["PENDING", "PROCESSING", "COMPLETED", "FAILED"]


@pytest.mark.clause("OS-030", "OS-031", "OS-032")
def test_list_holds_every_job_newest_first(oshara: Account) -> None:
    for number in range(120):
        steps.create(oshara, title=f"Take {number}")
        oshara.world.advance(1_000)

    jobs = steps.listed(oshara)

    assert [job["title"] for job in jobs] == [f"Take {number}" for number in reversed(range(120))]


@pytest.mark.clause("OS-030")
def test_list_of_a_new_account_is_an_empty_array(oshara: Account) -> None:
    assert steps.listed(oshara) == []


@pytest.mark.clause("OS-032")
def test_of_two_jobs_of_one_second_the_higher_id_comes_first(oshara: Account) -> None:
    """S22."""
    made = [steps.create(oshara)["id"] for _ in range(3)]

    assert [job["id"] for job in steps.listed(oshara)] == [*reversed(made)]


@pytest.mark.clause("OS-031", "OS-033")
def test_list_holds_the_callers_jobs_alone(oshara: Account, neighbour: Account) -> None:
    mine = steps.create(oshara)
    theirs = steps.create(neighbour)

    assert [job["id"] for job in steps.listed(oshara)] == [mine["id"]]
    assert [job["id"] for job in steps.listed(neighbour)] == [theirs["id"]]


@pytest.mark.clause("OS-030", "OS-034", "OS-038", "OS-039")
def test_listed_job_has_the_nine_fields_of_a_read_one(oshara: Account) -> None:
    """S5."""
    job = steps.finished(oshara)

    (listed,) = steps.listed(oshara)

    assert set(job) == set(listed) == steps.JOB_FIELDS
    assert listed | {"processed_video_url": None} == job | {"processed_video_url": None}


@pytest.mark.clause("OS-034", "OS-035", "OS-037", "OS-038", "OS-039")
def test_completed_job_has_a_url_and_no_error(oshara: Account) -> None:
    created = steps.create(oshara)
    oshara.world.advance_until_idle()

    job = steps.read(oshara, created)

    assert job["status"] == "COMPLETED"
    assert job["error_message"] is None
    assert job["processed_video_url"].startswith("http")
    assert job["external_job_id"].startswith("imtk-")
    assert len(job["external_job_id"]) == 11
    assert job["updated_at"] > job["created_at"] == created["created_at"]
    assert {name: job[name] for name in ("id", "title", "text_content")} == {
        "id": created["id"],
        "title": "Product Demo",
        "text_content": "Welcome to Acme!",
    }


@pytest.mark.clause("OS-041", "OS-042")
def test_failed_job_has_an_error_and_no_url(oshara: Account) -> None:
    job = steps.failed(oshara, "The voice could not be cloned.")

    assert job["status"] == "FAILED"
    assert job["error_message"] == "The voice could not be cloned."
    assert job["processed_video_url"] is None
    assert set(job) == steps.JOB_FIELDS


@pytest.mark.clause("OS-041")
def test_failure_without_a_given_reason_has_a_text_too(oshara: Account) -> None:
    steps.fault(oshara.world, "job_failure", "createVideoJob")

    job = steps.finished(oshara)

    assert job["status"] == "FAILED"
    assert job["error_message"] == "No face was found in the avatar image."


@pytest.mark.clause("OS-041")
def test_failure_can_be_ordered_in_the_script(oshara: Account) -> None:
    job = steps.finished(oshara, text_content="Hello [[screentest:fail=No GPU is free.]]")

    assert (job["status"], job["error_message"]) == ("FAILED", "No GPU is free.")


@pytest.mark.clause("OS-024", "OS-040", "OS-046", "OS-047")
def test_status_goes_forward_and_updated_at_with_it(oshara: Account) -> None:
    shown = steps.watch(oshara, steps.create(oshara))

    statuses = [job["status"] for job in shown]
    assert statuses == sorted(statuses, key=ORDER.index)
    assert set(statuses) == {"PENDING", "PROCESSING", "COMPLETED"}
    for before, after in pairwise(shown):
        moved = before["status"] != after["status"]
        assert (before["updated_at"] != after["updated_at"]) is moved
        assert before["updated_at"] <= after["updated_at"]


@pytest.mark.clause("OS-040", "OS-047")
def test_job_can_fail_before_a_worker_has_it(oshara: Account) -> None:
    steps.fault(oshara.world, "job_failure", "createVideoJob", reason="No worker.", at=0.0)

    statuses = [job["status"] for job in steps.watch(oshara, steps.create(oshara))]

    assert set(statuses) == {"PENDING", "FAILED"}


@pytest.mark.clause("OS-038", "OS-039")
def test_waiting_job_has_no_name_in_the_backend_yet(oshara: Account) -> None:
    """S10: null until a worker has it, and the same ever after."""
    shown = steps.watch(oshara, steps.create(oshara))

    names = {
        status: {job["external_job_id"] for job in shown if job["status"] == status}
        for status in ("PENDING", "PROCESSING", "COMPLETED")
    }
    assert names["PENDING"] == {None}
    assert names["PROCESSING"] == names["COMPLETED"] != {None}
    assert len(names["COMPLETED"]) == 1
    assert shown[0]["updated_at"] == shown[0]["created_at"]


@pytest.mark.clause("OS-048")
@pytest.mark.parametrize("ends", ["COMPLETED", "FAILED"])
def test_job_that_has_ended_stays_as_it_is(oshara: Account, ends: str) -> None:
    job = steps.finished(oshara) if ends == "COMPLETED" else steps.failed(oshara)
    oshara.world.advance(300 * 24 * HOUR_MS)

    later = steps.read(oshara, job)

    assert later["status"] == ends
    assert later | {"processed_video_url": ""} == job | {"processed_video_url": ""}


@pytest.mark.clause("OS-047")
def test_reading_moves_nothing(oshara: Account) -> None:
    job = steps.create(oshara)
    oshara.world.advance(60_000)

    assert len({steps.read(oshara, job)["status"] for _ in range(50)}) == 1


@pytest.mark.clause("OS-035", "OS-036", "OS-043")
def test_url_is_pre_signed_for_an_hour_and_gives_the_video(oshara: Account) -> None:
    job = steps.finished(oshara)

    answer = oshara.client.follow(job["processed_video_url"])

    parts = urlsplit(str(job["processed_video_url"]))
    assert parts.path.endswith(f"/videos/{job['id']}/output.mp4")
    assert parse_qs(parts.query)["X-Amz-Expires"] == ["3600"]
    assert (answer.status, answer.headers["content-type"]) == (200, "video/mp4")
    assert answer.content[4:8] == b"ftyp"


@pytest.mark.clause("OS-043", "OS-044")
def test_url_works_for_an_hour_from_the_read_and_then_no_more(oshara: Account) -> None:
    """S19."""
    url = steps.finished(oshara)["processed_video_url"]

    oshara.world.advance(HOUR_MS - 1)
    last = oshara.client.follow(url)
    oshara.world.advance(1)
    late = oshara.client.follow(url)

    assert (last.status, late.status) == (200, 403)
    assert late.headers["content-type"].startswith("application/xml")
    assert "<Error>" in late.text


@pytest.mark.clause("OS-045")
def test_reading_again_gives_a_url_that_works_again(oshara: Account) -> None:
    """S20."""
    job = steps.finished(oshara)
    oshara.world.advance(2 * HOUR_MS)

    again = steps.read(oshara, job)["processed_video_url"]

    assert again != job["processed_video_url"]
    assert oshara.client.follow(again).status == 200
    assert oshara.client.follow(job["processed_video_url"]).status == 403


@pytest.mark.clause("OS-036", "OS-045")
def test_two_reads_of_one_instant_give_two_urls(oshara: Account) -> None:
    job = steps.finished(oshara)

    urls = {steps.read(oshara, job)["processed_video_url"] for _ in range(2)}

    assert len(urls) == 2
    assert [oshara.client.follow(url).status for url in urls] == [200, 200]


@pytest.mark.clause("OS-036", "OS-044")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("X-Amz-Expires=3600", "X-Amz-Expires=36000"),
        ("X-Amz-Signature=", "X-Amz-Signature=0"),
        ("/videos/1/", "/videos/2/"),
    ],
)
def test_url_that_was_tampered_with_is_403(oshara: Account, old: str, new: str) -> None:
    url = steps.finished(oshara)["processed_video_url"]
    steps.finished(oshara)

    answer = oshara.client.follow(url.replace(old, new))

    assert answer.status == 403


@pytest.mark.clause("OS-035")
def test_every_job_has_a_video_of_its_own(oshara: Account) -> None:
    jobs = [steps.finished(oshara), steps.finished(oshara)]

    files = [oshara.client.follow(job["processed_video_url"]).content for job in jobs]

    stamps = [stamp_of(content) or {} for content in files]
    assert files[0] != files[1]
    assert [stamp["job"] for stamp in stamps] == [str(job["id"]) for job in jobs]


@pytest.mark.clause("OS-060")
def test_unknown_id_is_404(oshara: Account) -> None:
    answer = oshara.client.get(steps.NO_JOB)

    assert answer.status == 404
    assert answer.json() == {"detail": "No VideoJob matches the given query."}


@pytest.mark.clause("OS-060")
@pytest.mark.parametrize("id_", ["abc", "1.5", "-1", "imtk-abc123"])
def test_id_other_than_a_number_is_404_in_other_words(oshara: Account, id_: str) -> None:
    steps.create(oshara)

    answer = oshara.client.get(f"{steps.JOBS}{id_}/")

    assert (answer.status, answer.json()) == (404, {"detail": "Not found."})


@pytest.mark.clause("OS-061")
def test_job_of_another_account_is_404_like_an_unknown_one(
    oshara: Account, neighbour: Account
) -> None:
    """S12: nothing tells it from a job that does not exist."""
    theirs = steps.finished(neighbour)

    answer = oshara.client.get(steps.path_of(theirs))

    assert answer.status == 404
    assert answer.json() == {"detail": "No VideoJob matches the given query."}
    assert answer.headers["x-screentest-reason"] == "not_found"
