"""Names that the edge shares with the clients that call it in the same process."""

from __future__ import annotations

#: The path of stored files, below a provider.
FILES = "/_storage/"
#: A key of the environ: the address at which the client believes the provider to be. No header can
#: set it, so only a caller in this process can, and the edge trusts it.
BELIEVED_BASE = "screentest.base_url"
#: A key of the environ: the function that an injected delay calls instead of `time.sleep`.
SLEEP = "screentest.sleep"
