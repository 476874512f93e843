import pytest

from ringmain_core.secrets import Reference, Unresolved
from ringmain_core.secrets.reference import parse


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("env:DB_URL", Reference("env", "DB_URL")),
        ("file:/run/secrets/db#1", Reference("file", "/run/secrets/db#1")),
        ("vault:secret/team-a/db#url", Reference("vault", "secret/team-a/db", "url")),
        ("vault:/secret/db#url", Reference("vault", "secret/db", "url")),
        ("aws-sm:prod/db", Reference("aws-sm", "prod/db")),
        (
            "aws-sm:arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf#url",
            Reference("aws-sm", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf", "url"),
        ),
        ("value:env:DB_URL", "env:DB_URL"),
        ("value:value:", "value:"),
        ("postgresql://ann:secret@db/x", "postgresql://ann:secret@db/x"),
        ("Vault:secret/db#url", "Vault:secret/db#url"),
        ("env", "env"),
        ("value", "value"),
        ("", ""),
    ],
)
def test_a_text_is_a_reference_or_the_secret_itself(text: str, parsed: Reference | str) -> None:
    assert parse(text) == parsed


def test_a_reference_is_written_as_it_was() -> None:
    texts = ["env:DB_URL", "file:/run/secrets/db", "vault:secret/db#url", "aws-sm:prod/db", "aws-sm:db#url"]
    assert [str(parse(text)) for text in texts] == texts


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("env:hunter2!", "a variable's name like `env:NAME`"),
        ("file:secrets/hunter2", "a whole path like `file:/run/secrets/name`"),
        ("file:/run/hunter2\n", "a whole path like `file:/run/secrets/name`"),
        ("vault:secret/hunter2", "a path and a key like `vault:secret/name#key`"),
        ("vault:hunter2#key", "a path and a key like `vault:secret/name#key`"),
        ("vault:secret/../hunter2#key", "a path and a key like `vault:secret/name#key`"),
        ("vault:secret/hunter2?x#key", "a path and a key like `vault:secret/name#key`"),
        ("aws-sm:hunter2 hunter2", "a name, with or without a key, like `aws-sm:name#key`"),
    ],
)
def test_what_only_begins_like_a_reference_is_refused_and_not_quoted(text: str, form: str) -> None:
    with pytest.raises(Unresolved) as caught:
        parse(text)
    begins = text.partition(":")[0]
    assert str(caught.value) == (
        f"it begins with `{begins}:` and is not {form}; write `value:` in front of a secret"
    )
