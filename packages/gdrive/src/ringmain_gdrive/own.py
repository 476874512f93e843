"""Who works here, and who belongs to the same organisation."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Own:
    """Who works here.

    Attributes:
        address: Lower case.
        organisation: The domain of their Workspace; empty for private people, and where it is not known.
    """

    address: str
    organisation: str

    @property
    def name(self) -> str:
        """In words: of the organisation, or of the one person."""
        return self.organisation or self.address

    def includes(self, address: str) -> bool:
        """Whether an address or a domain is theirs, or their organisation's."""
        address = address.lower()
        if address == self.address:
            return True
        return bool(self.organisation) and address.rpartition("@")[2] == self.organisation
