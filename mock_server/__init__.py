"""The stateful mock. Downwards only: cli, http, pipeline, world, providers, kernel and store."""
