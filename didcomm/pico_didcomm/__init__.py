"""DIDComm v2: DIDs, envelopes, messages and protocols; knows no pico and does no I/O."""
