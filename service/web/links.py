"""The addresses of pages, as pages name them; mails need the same, so they are made beside."""

from service.urls import outside_url, paper_url, url

__all__ = ["outside_url", "paper_url", "url"]
