"""What a guest sees of the QEMU it runs in: records of a machine, where they come from, how two differ.

In QEMU's own words; it knows neither Ganeti nor libvirt.
"""
