"""Secrets by reference: a setting says where its secret is kept, and follows it when it changes there."""

from ringmain_core.secrets.keeper import Secrets
from ringmain_core.secrets.managed import ManagedSecret, Secret
from ringmain_core.secrets.reference import Reference, Unresolved

__all__ = ["ManagedSecret", "Reference", "Secret", "Secrets", "Unresolved"]
