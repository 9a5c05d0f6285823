"""slack: https://docs.slack.dev/authentication/verifying-requests-from-slack, whose test is the example."""

from compiler.catalog import Delivery, Scheme
from runtime.schemes._signature import SECRETS, TOLERANCE, Signature, body, prefixed, signed, timestamp

SCHEME = Scheme(
    name="slack",
    params=(*SECRETS, TOLERANCE),
    proof="HMAC-SHA256 of time and body in X-Slack-Signature",
    doc=(
        "Takes what Slack signs with an app's signing secret. Slack tries an address of the Events API with a signed "
        '`{"type": "url_verification", "challenge": …}`: answer it with `respond 200 {challenge}`.'
    ),
    examples=(
        Delivery(
            secrets={"secret": "8f742231b10e8888abcd99yyyzzz85a5"},
            headers={
                "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
                "X-Slack-Request-Timestamp": "1531420618",
            },
            body="token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
            "&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
            "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554"
            "%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
            at=1_531_420_618_000,
        ),
    ),
)

make = signed(
    SCHEME,
    Signature(
        "x-slack-signature",
        (b"v0:", timestamp, b":", body),
        prefixed("v0="),
        timestamp="x-slack-request-timestamp",
    ),
)
