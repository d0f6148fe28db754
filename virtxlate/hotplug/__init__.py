"""Devices of a running domain come and go: planned, then called for, believed when the live XML shows it."""
