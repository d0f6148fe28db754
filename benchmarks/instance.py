"""The one instance of the single-instance case: two disks, two NICs, as typed objects."""

from __future__ import annotations

from virtxlate import Context
from virtxlate.ganeti.model import Disk, Instance, Nic
from virtxlate.ganeti.params import BeParams, HvParams

_NODE = "6c0d9ad2-5b8a-4b5e-9f7c-0a4f1c2d3e41"


def _disk(uuid: str, index: int) -> Disk:
    return Disk(
        uuid=uuid,
        template="plain",
        size_mib=20480,
        logical_id=("xenvg", f"9e7c85f6.disk{index}"),
        params={"stripes": 1},
        nodes=(_NODE,),
        iv_name=f"disk/{index}",
    )


INSTANCE = Instance(
    name="web1.example.com",
    uuid="7c3a1ef0-5b1a-4b69-8f7f-3a8f0f6f9d10",
    os="debian+bookworm",
    primary_node="node1.example.com",
    disk_template="plain",
    hvparams=HvParams(kernel_path=""),
    own_hvparams=("kernel_path",),
    beparams=BeParams(maxmem=4096, minmem=4096, vcpus=4),
    own_beparams=("maxmem", "minmem", "vcpus"),
    disks=(
        _disk("9e7c85f6-b6e5-4243-8a57-0a4f1c2d3e41", 0),
        _disk("5b1c95f6-b6e5-4243-8a57-0a4f1c2d3e42", 1),
    ),
    nics=(
        Nic(uuid="1e7c85f6-b6e5-4243-8a57-0a4f1c2d3e43", mac="aa:00:00:12:34:56", link="br0"),
        Nic(uuid="2e7c85f6-b6e5-4243-8a57-0a4f1c2d3e44", mac="aa:00:00:12:34:57", link="br1"),
    ),
)
WITH_METADATA = Context()
WITHOUT_METADATA = Context(metadata=False)
