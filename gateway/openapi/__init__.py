"""The descriptions of the REST API and of the socket, and the page that shows them: made of
operations and channels, with no word about a resource."""
