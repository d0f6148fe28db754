"""A Ganeti KVM instance becomes a libvirt domain, and back."""
