"""Journeys through the console, in Chromium."""
