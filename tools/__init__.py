"""What the maintainers run: rendering media, fuzzing, generating reference pages."""
