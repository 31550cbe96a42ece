"""What comes of a visit that leads to nothing."""

SAID_CHARACTERS = 200


class UnreachableError(Exception):
    """A visit that led to nothing; the text says why, as a clause.

    `said` is what the other side gives as its reason. It is for who asked and for no log: it may
    repeat secrets of the URL.
    """

    def __init__(self, cause: str, said: str = "") -> None:
        super().__init__(cause)
        self.said = " ".join(said.split())[:SAID_CHARACTERS]

    @property
    def sentence(self) -> str:
        """The cause for who asked, as a sentence."""
        cause = str(self)
        return f"{cause[0].upper()}{cause[1:]}{f': {self.said}' if self.said else ''}"


class UnsuccessfulError(UnreachableError):
    """A visit that was answered by a status which is none of success."""

    def __init__(self, cause: str, status: int, said: str = "") -> None:
        super().__init__(cause, said)
        self.status = status


class NotLetInError(UnsuccessfulError):
    """A visit to a server that wants to know who asks, or has nothing for who does."""


class RefusedUrlError(UnreachableError):
    """A URL that is not visited."""
