"""A request and what happens to it, for every protocol that front-ends speak: what is asked, and
how it is followed to its end. Not what a protocol makes of it."""
