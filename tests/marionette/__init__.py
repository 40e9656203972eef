"""A provider that exists only here: two contract files, and no line of code of its own."""
