"""Why a command does not do what it was told, and the exit code that tells it to scripts."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command ends with."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    REFUSED = 4
    AWAY = 5


MEANINGS = {
    ExitCode.DONE: "done",
    ExitCode.FAILED: "not done, or not all of it: the command was not confirmed, lines of a file"
    " were refused, something is not well",
    ExitCode.USAGE: "the command line, or the settings in the environment, are wrong",
    ExitCode.NOT_FOUND: "what the command names does not exist",
    ExitCode.REFUSED: "a rule forbids it: the name is taken, the password is weak",
    ExitCode.AWAY: "what the command needs can't be reached, or is not migrated: try again",
}


class AdminError(Exception):
    """The text is one sentence for an operator."""

    code = ExitCode.FAILED


class UsageError(AdminError):
    """The command line or the environment is wrong."""

    code = ExitCode.USAGE


class NotFoundError(AdminError):
    """There is no such thing."""

    code = ExitCode.NOT_FOUND


class RefusedError(AdminError):
    """A rule forbids it."""

    code = ExitCode.REFUSED


class AwayError(AdminError):
    """Something that is needed can't be reached."""

    code = ExitCode.AWAY
