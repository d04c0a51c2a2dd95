"""The running node: agent (the whole node without I/O), driver, store, peers, HTTP and command line."""
