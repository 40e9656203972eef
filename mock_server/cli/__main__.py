"""`python -m screentest.mock_server.cli`, for interpreters whose scripts are not on the path."""

from .main import main

main()
