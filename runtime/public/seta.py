"""What Python beside the flows imports to add functions and verbs to the language (docs/extending.md)."""

from runtime.extend.marks import Call, Cnpj, Cpf, Email, Phone, Secret, Url, function, verb
from runtime.failures import Kind
from runtime.failures import StepFailure as Failure

__all__ = ["Call", "Cnpj", "Cpf", "Email", "Failure", "Kind", "Phone", "Secret", "Url", "function", "verb"]
