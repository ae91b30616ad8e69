"""What can go wrong in front of a person, said in one sentence."""


class HandoffError(Exception):
    """Something a person has to mend; the message says what is wrong, where, and what to do.

    Attributes:
        exit_code: What the command `handoff` exits with: 1 something blocks, 2 the command can't
            be carried out as it was given.
    """

    exit_code = 2
