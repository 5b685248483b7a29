"""Events that are not authentic, as an attacker, a broken processor or a careless proxy might send them."""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from local.signing import LOCAL_SECRETS, SCHEMES, sign

EVENT_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
OTHER_SECRETS = {
    "x_signature": "another-secret",
    "standard_webhooks": "whsec_" + base64.b64encode(b"another-secret-of-24-byte").decode(),
    "stripe": "whsec_another-secret",
}
SIGNATURE_HEADERS = {
    "x_signature": "x-signature",
    "standard_webhooks": "webhook-signature",
    "stripe": "stripe-signature",
}


class ForgedEvent(NamedTuple):
    description: str
    headers: Mapping[str, str]
    body: bytes


def forged_events(scheme: str, body: bytes, now: int) -> list[ForgedEvent]:
    """At least 60 forged events. No event of a real sender is among them."""
    of_one = {"x_signature": _x_signature, "standard_webhooks": _standard_webhooks, "stripe": _stripe}[scheme]
    return [*_of_any_scheme(scheme, body, now), *of_one(body, now)]


def _of_any_scheme(scheme: str, body: bytes, now: int) -> Iterator[ForgedEvent]:
    good, header = _signed(scheme, body, now), SIGNATURE_HEADERS[scheme]
    value = good[header]
    others = {other: _signed(other, body, now) for other in SCHEMES if other != scheme}
    yield ForgedEvent("the body was changed", good, body.replace(b"paid", b"failed"))
    yield ForgedEvent("a space after the body", good, body + b" ")
    yield ForgedEvent("a space before the body", good, b" " + body)
    yield ForgedEvent("a byte is missing", good, body[:-1])
    yield ForgedEvent("no body", good, b"")
    yield ForgedEvent("a byte order mark", good, b"\xef\xbb\xbf" + body)
    yield ForgedEvent("another encoding", good, body.decode().encode("utf-16"))
    yield ForgedEvent("a body that is not UTF-8", good, b"\xff\xfe\x00" + body)
    yield ForgedEvent("no headers", {}, body)
    yield ForgedEvent("no signature", {name: text for name, text in good.items() if name != header}, body)
    yield ForgedEvent("an empty signature", {**good, header: ""}, body)
    yield ForgedEvent("another secret", sign(scheme, [OTHER_SECRETS[scheme]], body, EVENT_ID, now), body)
    yield ForgedEvent("a duplicate header", {**good, header.title(): value}, body)
    for other, signed in others.items():
        yield ForgedEvent(f"signed as {other} too", {**good, **signed}, body)
        secret = LOCAL_SECRETS[other][0]
        yield ForgedEvent(f"signed with the secret of {other}", _with_secret_of(scheme, secret, body, now), body)
        yield ForgedEvent(f"{other}'s signature", {**good, header: signed[SIGNATURE_HEADERS[other]]}, body)
    for name, changed in {
        "a line feed after it": value + "\n",
        "a carriage return after it": value + "\r",
        "a NUL after it": value + "\0",
        "a no-break space after it": value + "\xa0",
        "a form feed before it": "\f" + value,
        "a space inside it": f"{value[:9]} {value[9:]}",
        "in quotes": f'"{value}"',
        "joined with a comma": f"{value},{value}",
        "joined with a comma and a space": f"{value}, {value}",
        "joined with a semicolon": f"{value};{value}",
        "10,000 signatures": " ".join([value] * 10_000),
        "10,000 joined with commas": ",".join([value] * 10_000),
        "a million zeros": "0" * 1_000_000,
        "the last character is missing": value[:-1],
        "one character more": value + "0",
        "reversed": value[::-1],
        "not ASCII": "é" * len(value),
        "half a surrogate pair": "\ud800" + value,
        "only spaces": "   ",
        "only commas": ",,,",
        "only equals signs": "===",
        "the word null": "null",
        "the word undefined": "undefined",
        "a JSON list": f'["{value}"]',
        "percent-encoded": "".join(f"%{ord(one):02x}" for one in value),
    }.items():
        yield ForgedEvent(name, {**good, header: changed}, body)


def _x_signature(body: bytes, _: int) -> Iterator[ForgedEvent]:
    secret = LOCAL_SECRETS["x_signature"][0].encode()
    good = hmac.digest(secret, body, hashlib.sha256).hex()
    for name, value in {
        "in capitals": good.upper(),
        "one digit in capitals": _with_one_uppercase_digit(good),
        "with its algorithm": f"sha256={good}",
        "with a version": f"v1={good}",
        "with a prefix": f"0x{good}",
        "with colons": ":".join(good[n : n + 2] for n in range(0, 64, 2)),
        "in base64": base64.b64encode(bytes.fromhex(good)).decode(),
        "in hexadecimal twice": good.encode().hex(),
        "Arabic digits": "٣" * 64,
        "fullwidth digits": "".join(chr(0xFEE0 + ord(one)) for one in good),
        "not hexadecimal": good[:-1] + "g",
        "all zeros": "0" * 64,
        "all nines": "9" * 64,
        "an empty secret": hmac.digest(b"", body, hashlib.sha256).hex(),
        "a digest without a secret": hashlib.sha256(body).hexdigest(),
        "secret and body in one digest": hashlib.sha256(secret + body).hexdigest(),
        "body and secret swapped": hmac.digest(body, secret, hashlib.sha256).hex(),
        "SHA-1": hmac.digest(secret, body, hashlib.sha1).hex(),
        "SHA-512": hmac.digest(secret, body, hashlib.sha512).hex(),
        "half of SHA-512": hmac.digest(secret, body, hashlib.sha512).hex()[:64],
        "SHA3-256": hmac.digest(secret, body, "sha3_256").hex(),
    }.items():
        yield ForgedEvent(name, {"x-signature": value}, body)
    for place in range(0, 64, 9):
        digit = "0" if good[place] != "0" else "1"
        yield ForgedEvent(f"digit {place} is another", {"x-signature": good[:place] + digit + good[place + 1 :]}, body)


TIMESTAMPS = {
    "Arabic digits": "١٢٣",
    "digits apart by underscores": "1_234",
    "an exponent": "1e400",
    "another exponent": "1.7e9",
    "negative": "-1",
    "5,000 digits": "9" * 5_000,
    "hexadecimal": "0x6553f100",
    "infinite": "inf",
    "not a number": "nan",
    "empty": "",
    "a date": "2023-11-14T22:13:20Z",
    "zero": "0",
}


def _timestamps(now: int) -> Iterator[tuple[str, str]]:
    yield from TIMESTAMPS.items()
    for name, text in {
        "301 s old": now - 301,
        "301 s early": now + 301,
        "an hour old": now - 3600,
        "an hour early": now + 3600,
        "in milliseconds": now * 1000,
    }.items():
        yield name, str(text)
    for name, form in {
        "with a fraction": "{}.0",
        "with a sign": "+{}",
        "with a space": " {}",
        "with a line feed": "{}\n",
    }.items():
        yield name, form.format(now)


def _standard_webhooks(body: bytes, now: int) -> Iterator[ForgedEvent]:
    secret = base64.b64decode(LOCAL_SECRETS["standard_webhooks"][0].removeprefix("whsec_"))

    def headers(
        content: bytes | None = None, *, id_: str = EVENT_ID, timestamp: str = str(now), key: bytes = secret
    ) -> dict[str, str]:
        content = f"{id_}.{timestamp}.".encode("utf-8", "surrogatepass") + body if content is None else content
        signature = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
        return {"webhook-id": id_, "webhook-timestamp": timestamp, "webhook-signature": f"v1,{signature}"}

    good = headers()
    digest = good["webhook-signature"].removeprefix("v1,")
    for name, timestamp in _timestamps(now):
        yield ForgedEvent(f"timestamp: {name}", headers(timestamp=timestamp), body)
    for name, id_ in {
        "with a dot": "msg.1",
        "only a dot": ".",
        "empty": "",
        "with a space": "msg 1",
        "not ASCII": "möwe",
        "with a NUL": "msg\0",
        "256 characters": "m" * 256,
    }.items():
        yield ForgedEvent(f"id: {name}", headers(id_=id_), body)
    for missing in ("webhook-id", "webhook-timestamp"):
        yield ForgedEvent(f"no {missing}", {name: text for name, text in good.items() if name != missing}, body)
        yield ForgedEvent(f"{missing} is sent twice", {**good, missing.title(): good[missing]}, body)
    for name in good:
        svix = name.replace("webhook-", "svix-")
        renamed = {svix if other == name else other: text for other, text in good.items()}
        yield ForgedEvent(f"{svix} in place of {name}", renamed, body)
        yield ForgedEvent(f"an empty {name} next to {svix}", {**renamed, name: ""}, body)
    svix_set = {name.replace("webhook-", "svix-"): text for name, text in good.items()}
    yield ForgedEvent("one webhook- header next to all of Svix's", {**svix_set, "webhook-id": EVENT_ID}, body)
    yield ForgedEvent("Svix's id is sent twice", {**svix_set, "Svix-Id": EVENT_ID}, body)
    yield ForgedEvent("another id, as Svix names it", {**svix_set, "svix-id": "msg_2"}, body)
    yield ForgedEvent("another id, and Svix's with the signed one", {**good, "webhook-id": "msg_2", **svix_set}, body)
    yield ForgedEvent("another id", {**good, "webhook-id": "msg_2"}, body)
    yield ForgedEvent("another timestamp", {**good, "webhook-timestamp": str(now + 1)}, body)
    yield ForgedEvent("the body alone is signed", headers(body), body)
    yield ForgedEvent("without the id", headers(f"{now}.".encode() + body), body)
    yield ForgedEvent("the secret is not decoded", headers(key=LOCAL_SECRETS["standard_webhooks"][0].encode()), body)
    yield ForgedEvent("an empty secret", headers(key=b""), body)
    yield ForgedEvent(
        "a dot moved", {**headers(), "webhook-id": f"{EVENT_ID}.{now}", "webhook-timestamp": str(now)}, body
    )
    for name, value in {
        "no version": digest,
        "an unknown version": f"v2,{digest}",
        "unknown versions only": f"v1a,{digest} v2,{digest}",
        "a version in capitals": f"V1,{digest}",
        "another separator": f"v1={digest}",
        "base64 with junk": f"v1,{digest[:10]}!{digest[10:]}",
        "base64 with a line feed": f"v1,{digest[:10]}\n{digest[10:]}",
        "base64 without padding": f"v1,{digest.rstrip('=')}",
        "base64 with more padding": f"v1,{digest}=",
        "URL-safe base64": f"v1,{'-_' * 21}A=",
        "base64 with loose bits": f"v1,{_with_loose_bits(digest)}",
        "in hexadecimal": f"v1,{base64.b64decode(digest).hex()}",
        "two spaces": f"v1,{digest}  v1,{digest}",
        "a valid signature and a malformed one": f"v1,{digest} v1",
        "17 signatures": " ".join([f"v1,{digest}"] * 17),
    }.items():
        yield ForgedEvent(name, {**good, "webhook-signature": value}, body)


def _stripe(body: bytes, now: int) -> Iterator[ForgedEvent]:
    secret = LOCAL_SECRETS["stripe"][0].encode()

    def v1(content: bytes, key: bytes = secret) -> str:
        return hmac.digest(key, content, hashlib.sha256).hex()

    content = f"{now}.".encode() + body
    good = v1(content)
    for name, timestamp in _timestamps(now):
        stamped = f"{timestamp}.".encode() + body
        yield ForgedEvent(f"timestamp: {name}", {"stripe-signature": f"t={timestamp},v1={v1(stamped)}"}, body)
    for name, value in {
        "no timestamp": f"v1={good}",
        "two timestamps": f"t={now},t={now},v1={good}",
        "two timestamps, one stale": f"t={now - 400},t={now},v1={good}",
        "another timestamp": f"t={now + 1},v1={good}",
        "no version": f"t={now},{good}",
        "only a timestamp": f"t={now}",
        "an empty v1": f"t={now},v1=",
        "an unknown version": f"t={now},v2={good}",
        "unknown versions only": f"t={now},v0={good},v2={good}",
        "a version in capitals": f"t={now},V1={good}",
        "in capitals": f"t={now},v1={good.upper()}",
        "one digit in capitals": f"t={now},v1={_with_one_uppercase_digit(good)}",
        "in base64": f"t={now},v1={base64.b64encode(bytes.fromhex(good)).decode()}",
        "not hexadecimal": f"t={now},v1={good[:-1]}g",
        "Arabic digits": f"t={now},v1={'٣' * 64}",
        "a space inside an item": f"t={now},v1= {good}",
        "a space instead of the comma": f"t={now} v1={good}",
        "a no-break space after the comma": f"t={now},\xa0v1={good}",
        "a comma at the end": f"t={now},v1={good},",
        "two equals signs": f"t={now},v1=={good}",
        "a valid signature and a malformed one": f"t={now},v1={good},v1=00",
        "16 signatures": ",".join([f"t={now}", *[f"v1={good}"] * 16]),
        "the body alone is signed": f"t={now},v1={v1(body)}",
        "the secret without its prefix": f"t={now},v1={v1(content, secret.removeprefix(b'whsec_'))}",
        "an empty secret": f"t={now},v1={v1(content, b'')}",
    }.items():
        yield ForgedEvent(name, {"stripe-signature": value}, body)


def _signed(scheme: str, body: bytes, now: int) -> dict[str, str]:
    return sign(scheme, LOCAL_SECRETS[scheme][:1], body, EVENT_ID, now)


def _with_secret_of(scheme: str, secret: str, body: bytes, now: int) -> dict[str, str]:
    as_base64 = "whsec_" + base64.b64encode(secret.encode()).decode()
    return sign(scheme, [as_base64 if scheme == "standard_webhooks" else secret], body, EVENT_ID, now)


def _with_one_uppercase_digit(digits: str) -> str:
    place = next(n for n, digit in enumerate(digits) if digit.isalpha())
    return digits[:place] + digits[place].upper() + digits[place + 1 :]


def _with_loose_bits(text: str) -> str:
    """Encode the same bytes differently. The last base64 character has two unused bits."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return text[:-2] + alphabet[alphabet.index(text[-2]) + 1] + "="
