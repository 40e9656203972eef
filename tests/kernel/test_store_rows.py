"""What the store keeps in memory never differs from its rows: not after a rollback, not later."""

from __future__ import annotations

from contextlib import suppress

import pytest

from screentest.mock_server.kernel.rows import Account, Effect, Key, Resource
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


def sums(store: Store) -> tuple[int, int, int, int] | None:
    with store.request():
        found = store.account(WORLD, "acct_1")
        assert store.accounts(WORLD) == ([] if found is None else [found])
    return None if found is None else (found.granted, found.available, found.held, found.spent)


def test_the_sums_of_an_account_follow_every_movement_and_an_undone_one_not(store: Store) -> None:
    with store.request():
        store.add_account(WORLD, Account("acct_1", "p", "free", 0, 0, 0, 0, 0))
        assert store.move_credits(WORLD, "acct_1", 10, 10, 0, 0)
    assert sums(store) == (10, 10, 0, 0)
    with store.request():
        assert store.move_credits(WORLD, "acct_1", 0, -4, 4, 0)
        assert not store.move_credits(WORLD, "acct_1", 0, -7, 7, 0)
    assert sums(store) == (10, 6, 4, 0)
    with suppress(Undone), store.request():
        assert store.move_credits(WORLD, "acct_1", 0, 0, -4, 4)
        raise Undone
    assert sums(store) == (10, 6, 4, 0)
    with store.request():
        store.clear_world(WORLD)
    assert sums(store) is None


def test_an_account_changes_its_tier_and_keeps_its_sums(store: Store) -> None:
    with store.request():
        store.add_account(WORLD, Account("acct_1", "p", "free", 0, 0, 0, 0, 0))
        store.move_credits(WORLD, "acct_1", 10, 10, 0, 0)
    assert sums(store) == (10, 10, 0, 0)
    with store.request():
        store.set_tier(WORLD, "acct_1", "pro")
        found = store.account(WORLD, "acct_1")
    assert found == Account("acct_1", "p", "pro", 10, 10, 0, 0, 0)


def effect(seq: int, due_ms: int) -> Effect:
    return Effect(seq, due_ms, "step", "p/job/j1", 1, "job.running")


def first_due(store: Store) -> int | None:
    found = store.next_effect(WORLD)
    return None if found is None else found.seq


def test_what_is_due_first_is_known_however_effects_come_and_go(store: Store) -> None:
    with store.request():
        assert first_due(store) is None
        store.add_effect(WORLD, effect(1, 500))
        assert first_due(store) == 1
        store.add_effect(WORLD, effect(2, 700))
        assert first_due(store) == 1
        store.add_effect(WORLD, effect(3, 500))
        assert first_due(store) == 1
        store.add_effect(WORLD, effect(4, 300))
        assert first_due(store) == 4
    with suppress(Undone), store.request():
        store.add_effect(WORLD, effect(5, 100))
        assert first_due(store) == 5
        raise Undone
    with store.request():
        assert first_due(store) == 4
        store.remove_effect(WORLD, effect(4, 300))
        assert first_due(store) == 1
        store.cancel_effects(WORLD, "p/job/j1")
        assert first_due(store) is None


def test_numbers_rise_by_one_however_many_are_drawn_at_once_and_undone_ones_come_again(
    store: Store,
) -> None:
    names = [f"n{index}" for index in range(250)]
    with store.request():
        assert {store.count(WORLD, name) for name in names} == {1}
    with suppress(Undone), store.request():
        assert {store.count(WORLD, name) for name in names} == {2}
        raise Undone
    with store.request():
        assert {store.count(WORLD, name) for name in names} == {2}
