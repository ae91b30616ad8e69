"""Errors: what a person has to mend, and texts that can't be read."""


class HandoffError(Exception):
    """Something a person has to mend; the message says what is wrong, where, and what to do.

    Attributes:
        exit_code: What the command `handoff` exits with: 1 something blocks, 2 the command can't
            be carried out as it was given.
    """

    exit_code = 2


class UnreadableError(ValueError):
    """A text that is not valid TOML or YAML; as a string the parser's own message.

    Attributes:
        reason: What is wrong, in a few words.
        line: The line, from 1; None where the parser does not say.
        syntax: Whether it is the syntax; otherwise the text says what may not be said there.
    """

    def __init__(
        self, error: Exception, reason: str, line: int | None, *, syntax: bool = True
    ) -> None:
        super().__init__(str(error))
        self.reason, self.line, self.syntax = reason, line, syntax
