"""Where the log goes: standard error, so that standard output belongs to the commands."""

import sys

import structlog


def configure() -> None:
    """Readable lines, with colours on a terminal only."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                exception_formatter=structlog.dev.plain_traceback,  # shows no one's data
            ),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
