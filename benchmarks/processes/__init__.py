"""Fresh processes that do one thing, and say what it took."""
