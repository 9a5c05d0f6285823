"""The hooks of a server as an OpenAPI 3.1 document: what senders send, how they prove who they are, what they get."""

from runtime.door.openapi.document import document

__all__ = ["document"]
