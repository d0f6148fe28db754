"""Programs that run in an interpreter of their own and time themselves; see serving.py for how they talk."""
