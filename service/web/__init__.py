"""The web port: the same handlers over HTTP, and the pages for people."""
