"""The facts that the templates of operations, views and files may name.

`mock_server` finds them; the linter refuses a name that is not here. A name that ends in `.*` has
whatever fields a request or a contract gives it.
"""

from __future__ import annotations

from collections.abc import Mapping

_TIMES = ("ms", "s", "iso", "iso_s", "iso_us")

#: By name: what it is.
OF_WORLDS: Mapping[str, str] = {
    "facts.*": "what the behaviour file has under `facts`",
    "media.*": "what the behaviour file has under `media`",
    "reading.*": "the reading in force of an interpretation",
    "base_url": "the provider's address in this server",
    "provider_url": "the provider's own address",
    "world": "the id of the world",
    "now": "the time of the world",
    "address": "`address(name, {part: text})`: a URL of the kind *name*",
    "mint": "`mint(form, number)`: an id of that form",
    "resource": "`resource(kind, id)`: a resource; null without one",
    "newest": "`newest(kind, id)`: the newest resource below another; null without one",
    "children": "`children(kind, id)`: all resources of a kind below another, the newest first",
    "credentials.*": "what the behaviour file has under `credentials`",
    "has_account": "`has_account(id)`: whether the provider has that account here",
    "known_key": "`known_key(text)`: the key that is written so, as in `keys`; null without one",
    "digest": "`digest([parts])`: 16 hexadecimal digits that depend on the parts alone",
}
OF_RESOURCES: Mapping[str, str] = {
    "id": "its id",
    "input.*": "the request that made it, where no `keeps` says otherwise",
    "doc.*": "what it keeps",
    "owner": "the id of its account",
    "parent": "the id of its parent",
    "created": "when it was made",
    "state": "its state",
    "kind": "what its state means: waiting, running, succeeded, failed, closed or resting",
    "entered": "when it entered its state",
    "at.*": "when it entered a state, by the name of the state; null before",
    "is_over": "whether it has ended",
    "ended": "when it ended; null before",
    "left_ms": "milliseconds until it ends; those of a held job do not change",
    "wait_ms": "milliseconds of real time until its next state; null without one",
    "progress": "0 to 100",
    "reason": "why it failed; empty unless it does",
    "refunded": "the credits that came back for it",
    "url.*": "its URLs, by kind",
    "view.*": "what its view shows; not in the view itself",
    "bytes.*": "the sizes of its videos, by kind of URL",
}
OF_CALLS: Mapping[str, str] = {
    "path.*": "the parameters in the path",
    "query.*": "the parameters in the query, with their defaults",
    "body.*": "the fields of the body; a file has filename, size, content_type and sha256",
    "given.*": "those fields without the provider's envelope",
    "supplied.*": "what the provider's function adds, which the price knows as well",
    "content": "16 hexadecimal digits, the same for equal requests only",
    "pick": "`pick(list)`: one item, the same for equal requests in equal worlds",
    "sample": "`sample(list, count)`: that many different items",
    "random_int": "`random_int(low, high)`: a whole number between them",
    "owned": "`owned(kind, most)`: how many resources the account has, counted up to *most*",
    "operation": "the id of the operation",
    "number": "the number of the request in its world",
    "account.*": "the caller's account: id, available, held, granted, spent",
    "webhook_secret": "what signs events to the addresses in the account's requests",
    "keys": "`keys(kind)`: the account's keys: id, name, kind, prefix, is_active, created_ms, "
    "last_used_ms, account, digest",
    "issued.*": "the keys that the operation has issued, as in `keys`, each with its `raw` text",
    "found.*": "the resources of `acts_on`, by kind, each with the facts of a resource",
}
OF_LISTS: Mapping[str, str] = {
    "items.*": "what `item` makes of each resource, or its view",
    "has_more": "whether there are more behind this page",
    "total": "how many there are on all pages",
}
#: Facts that are instants, each with its notations.
_INSTANTS = ("now", "created", "entered", "ended")


def known_names(*tables: Mapping[str, str]) -> frozenset[str]:
    """Every name of *tables*, with those inside them."""
    names = {name for table in tables for name in table}
    names |= {name.removesuffix(".*") for name in names}
    return frozenset(names) | {
        f"{name}.{notation}" for name in _INSTANTS if name in names for notation in _TIMES
    }
