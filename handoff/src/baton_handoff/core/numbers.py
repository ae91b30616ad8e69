"""Numbers of things in sentences."""


def plural(number: int, one: str, several: str = "") -> str:
    """A number with its noun in the right form: `1 file`, `2 files`, `2 files are`.

    Args:
        number: The number.
        one: The words for one thing.
        several: The words for another number; by default those for one with an s.
    """
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"
