"""How fast virtxlate is, beside other libraries that write the same domain: ratios of one run.

Nothing here is imported by virtxlate, and no peer is a dependency of it.
"""
