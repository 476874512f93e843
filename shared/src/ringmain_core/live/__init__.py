"""Resources that tell when they change: who watches them, who may hear of it, and how it gets to a client."""
