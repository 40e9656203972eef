"""The other readings of points whose default is tested elsewhere: what each switch changes.

Each test begins with the id of the point as the contract lists it.
"""

from __future__ import annotations

import pytest

from ..mock_client import Account
from . import steps


@pytest.mark.clause("ZN-023", "ZN-033")
def test_metadata_may_be_shown(znapai: Account) -> None:
    """Z11, shown: at creation, when read and in the list; null where none was given."""
    znapai.world.choose(znapai__metadata_echo="shown")

    made = steps.create(znapai, metadata={"order": "7"})
    bare = steps.create(znapai)
    listed = steps.accepted(znapai.client.get(steps.VIDEOS))["data"]

    assert made["metadata"] == steps.read(znapai, made["id"])["metadata"] == {"order": "7"}
    assert [video["metadata"] for video in listed] == [None, {"order": "7"}]
    assert set(bare) == steps.FIELDS | {"metadata"}


@pytest.mark.clause("ZN-004", "ZN-005")
def test_the_larger_model_may_pass(znapai: Account) -> None:
    """Z16, sora_2_pro: and nothing else."""
    znapai.world.choose(znapai__other_models="sora_2_pro")
    by_form = znapai.client.post(steps.VIDEOS, form={**steps.LEAST, "model": "sora-2-pro"})

    made = steps.create(znapai, model="sora-2-pro")
    other = znapai.client.post(steps.VIDEOS, json={**steps.LEAST, "model": "sora-3"})

    assert made["model"] == steps.read(znapai, made["id"])["model"] == "sora-2-pro"
    assert steps.accepted(by_form)["model"] == "sora-2-pro"
    assert other.status == 400


@pytest.mark.clause("ZN-025", "ZN-026")
def test_unknown_parameters_may_be_dropped(znapai: Account) -> None:
    """Z18, dropped: in JSON and in forms; a wrong value beside them is still refused."""
    znapai.world.choose(znapai__unknown_parameters="dropped")

    by_form = znapai.client.post(steps.VIDEOS, form={**steps.LEAST, "duration": "4"})
    wrong = znapai.client.post(steps.VIDEOS, json={**steps.LEAST, "fps": 24, "seconds": "5"})

    assert set(steps.create(znapai, duration="4", fps=24)) == steps.FIELDS
    assert by_form.status == 200
    assert steps.refusal(wrong) == (400, "seconds", "invalid_value")


@pytest.mark.clause("ZN-064")
def test_running_video_may_be_deleted(znapai: Account) -> None:
    """Z25, allow: it never ends, as it is gone."""
    znapai.world.choose(znapai__delete_running="allow")
    video_id = steps.create(znapai)["id"]
    path = f"{steps.VIDEOS}/{video_id}"

    deleted = steps.accepted(znapai.client.delete(path))
    znapai.world.advance_until_idle()

    assert deleted == {"id": video_id, "object": "video.deleted", "deleted": True}
    assert znapai.client.get(path).status == 404


@pytest.mark.clause("ZN-063")
def test_unknown_cursor_may_be_ignored(znapai: Account) -> None:
    """Z30, ignored."""
    znapai.world.choose(znapai__list_cursor="ignored")
    made = [steps.create(znapai)["id"] for _ in range(2)]

    page = znapai.client.get(steps.VIDEOS, query={"after": steps.NO_VIDEO})

    assert [video["id"] for video in steps.accepted(page)["data"]] == made[::-1]
