"""What Python beside the flows imports to add functions to the language (docs/extending.md)."""

from runtime.extend.marks import Cnpj, Cpf, Email, Phone, Secret, Url, function
from runtime.failures import Kind
from runtime.failures import StepFailure as Failure

__all__ = ["Cnpj", "Cpf", "Email", "Failure", "Kind", "Phone", "Secret", "Url", "function"]
