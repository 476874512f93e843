"""Columns of spreadsheets, as they are named."""

_LETTERS = 26


def column_letters(number: int) -> str:
    """What a column is called: the first is A, the 27th is AA."""
    found = ""
    while number:
        number, rest = divmod(number - 1, _LETTERS)
        found = chr(ord("A") + rest) + found
    return found


def column_number(letters: str) -> int:
    """Which column that is, from 1 on."""
    number = 0
    for letter in letters.upper():
        number = number * _LETTERS + ord(letter) - ord("A") + 1
    return number
