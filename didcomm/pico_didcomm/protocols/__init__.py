"""Protocols over DIDComm messages: builders, parsers and state machines, without I/O."""
