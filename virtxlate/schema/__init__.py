"""The exact schema of a libvirt at hand: its own RELAX NG as XSD 1.0, and rules for what XSD cannot say.

Reads RELAX NG (``relaxng``), gives every element one type as XSD wants it (``types``), keeps what those types
had to loosen as rules (``rules``), and writes XSD (``xsd``). ``judge`` applies the rules to a document.
Nothing here knows a word of libvirt's: the files say everything.
"""
