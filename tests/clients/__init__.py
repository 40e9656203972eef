"""Clients that other projects' generators make from our OpenAPI documents."""
