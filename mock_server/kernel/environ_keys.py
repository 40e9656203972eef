"""Names that the edge shares with those who hand calls to it inside this process."""

from __future__ import annotations

#: Where stored files lie, below a provider.
FILES = "/_storage/"
#: A key of the environ, which no header can set: whoever hands calls over inside this process says
#: here at what address the client believes the provider to be, and is taken at its word.
BELIEVED_BASE = "screentest.base_url"
#: And here how a call that is to be slow passes its time; without it, by waiting.
SLEEP = "screentest.sleep"
