"""HTTP: the doors for devices, old clients, the owner and browsers."""
