"""The explorer: pages to search the corpus, and to see which papers are related and why."""
