"""What can go wrong in front of a person, said in one sentence."""


class HandoffError(Exception):
    """Something a person has to mend; the message says what is wrong, where, and what to do."""
