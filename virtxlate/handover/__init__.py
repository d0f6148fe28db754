"""A guest that runs in Ganeti's QEMU goes on under libvirt."""
