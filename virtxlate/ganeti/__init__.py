"""Ganeti's side: its words, records and file formats; never heard of libvirt."""
