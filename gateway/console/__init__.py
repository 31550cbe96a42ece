"""The console: a page that shows what the public routes, sockets and streams give."""
