"""Reports: for people, for build servers, for programs."""
