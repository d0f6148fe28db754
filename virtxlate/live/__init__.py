"""The door to the libvirt daemon."""
