"""phone_info: what a phone number tells of itself."""

from typing import Any, Final

from compiler.catalog import Example, Function
from runtime.functions import format_phone
from runtime.functions.format_phone import both_forms, parse_phone

_OPTIONS: Final = ("number", "region", "area_code")
_KINDS: Final = ("mobile", "fixed", "fixed_or_mobile", "toll_free")
_REFUSALS: Final = ("missing_ninth_digit", "not_mobile")  # of options that this function does not have

SIGNATURE: Final = Function(
    name="phone_info",
    params=tuple(param for param in format_phone.SIGNATURE.params if param.name in _OPTIONS),
    result=(
        '{phone: phone, country: text, type: "mobile" | "fixed" | "fixed_or_mobile" | "toll_free" | "other", '
        "area_code: text?, forms: [phone], repairs: [text], suspicious: bool}"
    ),
    doc=(
        "Reads a phone number as `format_phone` does and tells what is known of it.\n\n"
        "`country` is ISO 3166 alpha-2, or 001 for numbers of no country. `type` is fixed_or_mobile where the "
        "country's plan does not tell, as in the United States. `area_code` is Brazil's (DDD). `forms` are the numbers "
        "under which WhatsApp may know the person, with and without the ninth digit. `repairs` names what had to be "
        "mended in the text as it came: ninth_digit, area_code, trunk_0, carrier_code, mx_1, first_of_many; of what is "
        "a phone already there is nothing to mend. `suspicious` is what is valid and looks typed to fill a field: one "
        "digit repeated. No number tells its operator: they are ported."
    ),
    failures=tuple(code for code in format_phone.SIGNATURE.failures if code not in _REFUSALS),
    examples=(
        Example(
            'phone_info("(82) 8765-4321")',
            gives=(
                '{phone: "+5582987654321", country: "BR", type: "mobile", area_code: "82", '
                'forms: ["+5582987654321", "+558287654321"], repairs: ["ninth_digit"], suspicious: false}'
            ),
        ),
        Example(
            'phone_info("0800 123 4567")',
            gives=(
                '{phone: "+558001234567", country: "BR", type: "toll_free", area_code: none, '
                'forms: ["+558001234567"], repairs: [], suspicious: false}'
            ),
        ),
        Example(
            'phone_info("+1 212 555 0123")',
            gives=(
                '{phone: "+12125550123", country: "US", type: "fixed_or_mobile", area_code: none, '
                'forms: ["+12125550123"], repairs: [], suspicious: false}'
            ),
        ),
        Example('phone_info("98765-4321")', fails="missing_area_code"),
    ),
)


def phone_info(number: str, region: str = "BR", area_code: str | None = None) -> dict[str, Any]:
    """Tell of the number; fail as `parse_phone` does."""
    phone = parse_phone(number, region, area_code)
    return {
        "phone": phone.e164,
        "country": phone.country,
        "type": phone.type if phone.type in _KINDS else "other",
        "area_code": phone.e164[3:5] if phone.country == "BR" and phone.type in ("mobile", "fixed") else None,
        "forms": list(both_forms(phone.e164)),
        "repairs": list(phone.repairs),
        "suspicious": phone.suspicious,
    }
