"""The shop keeps its promises."""
