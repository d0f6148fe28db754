"""Ganeti's side: its words, records and file formats; never heard of libvirt."""

from virtxlate.ganeti.hvinfo import HvInfo
from virtxlate.ganeti.model import Disk, Instance, Network, Nic
from virtxlate.ganeti.params import BeParams, HvParams

__all__ = ["BeParams", "Disk", "HvInfo", "HvParams", "Instance", "Network", "Nic"]
