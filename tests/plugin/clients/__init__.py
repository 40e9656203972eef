"""Programs as a provider's customers write them. None of them knows that it is tested."""
