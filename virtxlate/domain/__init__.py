"""Libvirt's side: domain XML as records; never heard of Ganeti, and does not import libvirt."""
