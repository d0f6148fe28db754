"""A QEMU that runs under Ganeti, as the domain that reproduces it: what it says itself wins over files."""
