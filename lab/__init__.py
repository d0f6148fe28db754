"""A whole libvirt host inside one process: test equipment, never imported by the product.

`embedded` is libvirt with its QEMU driver and no daemon, `guest` a tiny Linux that boots under it in seconds,
`console` a line to that Linux, so that a test can ask the guest itself what hardware it sees.
"""

import os

# The embedded driver logs to this process's stderr. Read when libvirt is first imported; 4: errors only.
os.environ.setdefault("LIBVIRT_DEBUG", "4")
