"""Feeds: lists of papers for readers that ask again by themselves, as Atom and as JSON Feed."""
