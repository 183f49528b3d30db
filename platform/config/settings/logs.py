"""Logging: one line per event on standard error, JSON in production; secrets are blanked, whoever logs them."""

from config.logs import logging_config

LOGGING = logging_config()
