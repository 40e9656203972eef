"""What the store keeps in memory never differs from its rows: not after a rollback, not later."""

from __future__ import annotations

from contextlib import suppress

import pytest

from screentest.mock_server.rows import Key, Resource
from screentest.mock_server.store.sqlite import Store

WORLD = "w"


class Undone(Exception):
    """Raised to roll a change back."""


@pytest.fixture
def store() -> Store:
    return Store()


def video(**doc: object) -> Resource:
    return Resource("p", "video", "vid_1", "acct_1", None, 1, 0, dict(doc))


def key(*, is_active: bool = True) -> Key:
    return Key("d1", WORLD, "acct_1", "p", "k1", "api_key", "main", "sk_", is_active, 0, None, 1)


def title(store: Store) -> object:
    with store.request():
        found = store.resource(WORLD, "p", "video", "vid_1")
    return None if found is None else found.doc["title"]


def is_active(store: Store) -> bool | None:
    with store.request():
        found = store.key("d1")
    return None if found is None else found.is_active


def test_a_saved_change_is_read_and_an_undone_one_is_not(store: Store) -> None:
    with store.request():
        store.add_resource(WORLD, video(title="first"))
    assert title(store) == "first"
    with store.request():
        store.save_resource(WORLD, video(title="second"))
    assert title(store) == "second"
    with suppress(Undone), store.request():
        store.save_resource(WORLD, video(title="third"))
        assert title(store) == "third"
        raise Undone
    assert title(store) == "second"


def test_an_attempt_inside_a_request_is_undone_alone(store: Store) -> None:
    with store.request():
        store.add_resource(WORLD, video(title="first"))
        with suppress(Undone), store.attempt():
            store.save_resource(WORLD, video(title="second"))
            assert title(store) == "second"
            raise Undone
        assert title(store) == "first"
    assert title(store) == "first"


def test_changing_what_was_read_changes_nothing_until_it_is_saved(store: Store) -> None:
    with store.request():
        store.add_resource(WORLD, video(title="first"))
        found = store.resource(WORLD, "p", "video", "vid_1")
        assert found is not None
        found.doc["title"] = "scribbled over"
    assert title(store) == "first"


def test_what_was_deleted_is_gone_and_comes_back_with_a_rollback(store: Store) -> None:
    with store.request():
        store.add_resource(WORLD, video(title="first"))
    assert title(store) == "first"
    with suppress(Undone), store.request():
        store.delete_resource(WORLD, video())
        assert title(store) is None
        raise Undone
    assert title(store) == "first"
    with store.request():
        store.delete_resource(WORLD, video())
    assert title(store) is None


def test_a_revoked_key_is_revoked_at_once_and_only_if_it_is_committed(store: Store) -> None:
    with store.request():
        store.add_key(key())
    assert is_active(store) is True
    with suppress(Undone), store.request():
        store.deactivate_key("d1")
        assert is_active(store) is False
        raise Undone
    assert is_active(store) is True
    with store.request():
        store.deactivate_key("d1")
    assert is_active(store) is False


def test_clearing_a_world_forgets_what_was_read_of_it(store: Store) -> None:
    with store.request():
        store.add_resource(WORLD, video(title="first"))
        store.add_key(key())
    assert (title(store), is_active(store)) == ("first", True)
    with store.request():
        store.clear_world(WORLD)
    assert (title(store), is_active(store)) == (None, None)
