"""DIDs: their documents, the methods that make and read them, and a resolver over the methods."""
