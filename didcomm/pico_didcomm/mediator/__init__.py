"""A mediator and its client, without I/O: messages wait there until their recipient fetches them."""
