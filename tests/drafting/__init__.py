"""First contracts: from an OpenAPI file, from recordings, and from both."""
