"""The README has the role that `doctor` advises."""

from contract.readmes import blocks, readme_of, section
from ringmain_postgres.posture import grant_script


def test_the_role_is_the_one_that_doctor_prints() -> None:
    (shown,) = blocks(section(readme_of("postgres"), "Credentials"), "sql")
    assert shown == grant_script("shop", ["sales"], []) + "\n"
