"""How the names of headers are written for people."""


def header_name(name: str) -> str:
    """*name* as documents write it: `X-API-Key` for `x-api-key`."""
    return "-".join("API" if part == "api" else part.capitalize() for part in name.split("-"))
