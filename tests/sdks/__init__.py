"""What clients of vendors do at a mock that breaks: `make test-sdks`."""
