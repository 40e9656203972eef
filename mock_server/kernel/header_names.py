"""Names of HTTP headers, which are kept in lower case, as documentation writes them."""


def header_name(name: str) -> str:
    """`X-API-Key` for `x-api-key`."""
    return "-".join("API" if part == "api" else part.capitalize() for part in name.split("-"))
