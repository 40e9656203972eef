"""Programs as a provider's customers write them. They have no code for tests."""
