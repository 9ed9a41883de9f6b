"""Floor 0: frozen values. They know nothing of JSON, sockets, disks or clocks."""
