"""What answers show of resources, and the numbers that a trace shows."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Struct, field

from ..formats import Key, ManySources, means
from ..json_types import Json
from .places import Conditions, Expression, Expressions, When


class Fact(Struct, frozen=True, forbid_unknown_fields=True):
    """A number read from a trace: a field with a default, or the number of items of a list."""

    source: Annotated[Expression, means("Where it is.", "$request.body#/seconds")] = field(
        default="", name="from"
    )
    default: Annotated[Json, means("Its value where it is absent.", 4)] = None
    count: Annotated[Expression, means("The list that is counted.", "$request.body#/scenes")] = ""
    with_text: Annotated[
        str, means("Count only items whose field of this name is not blank.", "voice")
    ] = ""
    counts_calls: Annotated[
        bool, means("It is the number of earlier successful calls of the account.", True)
    ] = field(default=False, name="calls")
    only: Annotated[
        tuple[float, float] | None, means("Bounds outside of which it is unknown.", [1, 60])
    ] = None
    shown: Annotated[
        Expression,
        means("Where an answer shows the number that counts.", "$response.body#/seconds"),
    ] = ""


class MediaView(Struct, frozen=True, forbid_unknown_fields=True):
    """The finished file: where an answer shows its URL, and the facts that it was made from."""

    at: Annotated[Expression, means("Where its URL is.", "$response.body#/url")]
    size_by: Annotated[
        tuple[Fact, ...],
        means("The facts that lead through `sizes`.", [{"from": "$request.body#/size"}]),
    ] = ()
    sizes: Annotated[Json, means("[width, height] by these facts.", {"hd": [1280, 720]})] = None
    seconds: Annotated[
        Fact | None, means("Its length.", {"from": "$request.body#/seconds", "default": 4})
    ] = None
    fps: Annotated[float | None, means("Its frames a second.", 30)] = None
    source: ManySources = ()


class StateCase(Struct, frozen=True, forbid_unknown_fields=True):
    """A state in the contract's words, and the conditions on an answer that shows it."""

    name: Annotated[str, means("The state.", "done")] = field(name="is")
    where: Annotated[Conditions, means("When it is shown.", {"$item#/url": {"present": True}})]


class View(Struct, frozen=True, forbid_unknown_fields=True):
    """What one answer shows of resources of one kind."""

    operation: Key
    resource: Annotated[str, means("The kind of resource.", "video")]
    id: Annotated[Expression, means("Where its id is.", "$response.body#/id")]
    status: Annotated[int | None, means("The status; any success unless given.", 200)] = None
    each: Annotated[
        Expression, means("A list; other expressions start with $item.", "$response.body#/videos")
    ] = ""
    asked: Annotated[Expression, means("The id that was asked for.", "$request.path.id")] = ""
    state: Annotated[
        Expression | tuple[StateCase, ...],
        means("Where its state is, or how each state is seen.", "$response.body#/status"),
    ] = ""
    aliases: Annotated[
        Mapping[str, str], means("Words that this answer has for states.", {"ok": "done"})
    ] = {}
    progress: Annotated[Expression, means("Where its progress is.", "$item#/progress")] = ""
    constant: Annotated[Expressions, means("What never changes.", ["$item#/created_at"])] = ()
    settles: Annotated[
        Expressions, means("What never changes after a final state.", ["$item#/error"])
    ] = ()
    ascending: Annotated[
        Expressions,
        means("Times that follow each other.", ["$item#/created_at", "$item#/updated_at"]),
    ] = ()
    moves: Annotated[
        Expressions, means("What changes with the state, and only then.", ["$item#/updated_at"])
    ] = ()
    shown: Annotated[
        Mapping[str, Expressions],
        means("What has a value in states of these kinds only.", {"failed": ["$item#/error"]}),
    ] = {}
    echoes: Annotated[
        Mapping[str, Expression],
        means("What repeats a field of the request.", {"$item#/title": "$request.body#/title"}),
    ] = {}
    urls: Annotated[
        Mapping[str, Expression], means("Where each kind of URL is.", {"video": "$item#/url"})
    ] = {}
    media: Annotated[
        MediaView | None, means("What the finished file is.", {"at": "$item#/url", "fps": 30})
    ] = None
    charged: Annotated[Expression, means("What was charged.", "$response.body#/cost")] = ""
    balance: Annotated[Expression, means("What is left.", "$response.body#/credits")] = ""
    refunded: Annotated[Expression, means("What was given back.", "$item#/refund")] = ""
    source: ManySources = ()
    when: When = {}
