"""The codes with which the verbs over services fail, beside those of their own."""

from typing import Final

from runtime.connections import hablla, whatsapp_cloud

# `held`: a step with `within` that could not be sent in that time.
REACHING: Final = ("address_refused", "connect", "held", "http_STATUS", "no_answer", "no_connection", "unsendable")
PERSONS: Final = tuple(sorted(("hablla", *REACHING)))
MESSAGES: Final = tuple(sorted({*hablla.FAILURES, *whatsapp_cloud.FAILURES, *REACHING}))
