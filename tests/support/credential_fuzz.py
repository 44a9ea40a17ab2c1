"""Files that are nearly credentials: JSON, JWTs, JWS and bundles, made and damaged by chance."""

from __future__ import annotations

import json
import struct
from base64 import b64encode
from collections.abc import Callable, Sequence
from hashlib import sha256
from random import Random
from typing import Final

from testamur.credentials import base64url
from testamur.credentials.profiles import BYTES, JCS, JWS_JSON, JWT
from testamur.ledger.bundle import make_bundle

KEYS: Final = (
    *("a", "b", "10", "9", "-1", "", "__proto__", "constructor", "issuer", "iss", "vc", "id"),
    *("name", "legalName", "prefLabel", "proof", "payload", "protected", "signature", "signatures"),
    *("header", "disclosures", "kb_jwt", "alg", "crit", "b64", "_sd", "_sd_alg", "...", "type"),
    *("\ufb33", "\U0001f600", "\u20ac", "\u00e9", "e\u0301", "\u2028", "\x7f"),
)
ESCAPED: Final = (
    *(r"\u0000", r"\u0061", r"\ud83d\ude00", r"\ud83d", r"\ude00", r"\ude00\ud83d", r"\u2028"),
    *(r"\/", r"\n", r"\"", r"\\", r"\x41", r"\u00g0", r"\u+041", r"\U0041", r"\0", r"\u 041"),
    *("\t", "\n", "\x00", "\x1f", "\x7f", "\u2028", "\ufeff", "\U0001f600", "\u00a0"),
)
NUMBERS: Final = (
    *("0", "-0", "-0.0", "1", "1.0", "1E2", "1e21", "1e-7", "1e-6", "5e-324", "4e-324", "2e-324"),
    *("1e400", "-1e400", "1e-400", "0e-400", "1.7976931348623157e308", "1.7976931348623159e308"),
    *("9007199254740991", "-9007199254740991", "9007199254740992", "-9007199254740993"),
    *("9007199254740993.0", "1e22", "123456789012345680000", "0.1", "333333333.33333329"),
    *("NaN", "Infinity", "-Infinity", "-", "01", "-01", "1.", ".5", "1e", "1e+", "+1", "0x10"),
    *("1_000", "1n", "\u0661", "--1", "9" * 400, "9" * 400 + ".0", "0." + "0" * 400 + "1"),
    "1.00000000000000011102230246251565404236316680908203125",
    "1.00000000000000011102230246251565404236316680908203126",
)
LITERALS: Final = ("true", "false", "null", "True", "nul", "undefined", "NULL")
SPACES: Final = ("", "", "", " ", "\n", "\t\r ", "\x0b", "\x0c", "\u00a0", "\ufeff", "\u2028")
TOKENS: Final = (*'{}[],:"\\-.~=_', *"0eEtn/+ ", "\xff", "\x00", "\ud83d")
LOCATOR: Final = f"testamur:1:{'ab' * 32}:3:{'01' * 32}"
LOCATORS: Final = (
    LOCATOR,
    LOCATOR,
    f"https://verify.example/#{LOCATOR}9",
    LOCATOR.replace(":3:", ":4294967296:"),
    LOCATOR.replace(":3:", ":03:"),
    LOCATOR.replace("01", "02"),
    LOCATOR[:-1],
    f"{LOCATOR[:20]}\n{LOCATOR[20:]}",
    LOCATOR.replace("testamur", r"\u0074estamur"),
)


def near_credentials(random: Random, count: int, seeds: Sequence[bytes]) -> list[bytes]:
    """Make ``count`` files; ``seeds`` are whole ones, of which some are copied and damaged."""
    makers: list[Callable[[Random], bytes]] = [
        lambda random: _text(random, 0),
        lambda random: _object(random, 0),
        _number,
        _jwt,
        _jwt,
        _jws,
        _jws,
        _issued,
        lambda random: random.choice(seeds),
    ]
    made = []
    for position in range(count):
        data = makers[position % len(makers)](random)
        for _ in range(random.choice((0, 0, 0, 1, 1, 2))):
            data = damaged(random, data)
        made.append(data)
    return made


def near_bundles(random: Random, count: int) -> list[bytes]:
    """Make ``count`` bundles, most of them with damage or with a name that is close to refused."""
    names = ("diploma.pdf", "a", "\u00fc.json", "\U0001f600", "a b", "receipt.jso", "com.pdf")
    made = []
    for _ in range(count):
        data = make_bundle(random.choice(names), random.randbytes(20), random.randbytes(9))
        made.append(damaged(random, data) if random.random() < 0.8 else data)
    return made


def damaged(random: Random, data: bytes) -> bytes:
    """Change ``data`` in one place: a byte, a token, a piece left out or repeated."""
    start = random.randint(0, len(data))
    end = min(len(data), start + random.choice((0, 1, 1, 2, 8)))
    put = random.choice(
        (
            b"",
            random.choice(TOKENS).encode("utf-8", "surrogatepass"),
            random.randbytes(1),
            data[start:end] * 2,
            random.choice(KEYS).encode(),
        )
    )
    return data[:start] + put + data[end:]


def profile_of(random: Random, data: bytes) -> str:
    """Choose the profile that ``data`` looks to be for, or now and then another."""
    if random.random() < 0.1:
        return random.choice((JCS, JWS_JSON, JWT, BYTES))
    if data.lstrip()[:1] == b"e":
        return JWT
    return JWS_JSON if b'"payload"' in data and random.random() < 0.8 else JCS


def _space(random: Random) -> str:
    return random.choice(SPACES) if random.random() < 0.03 else random.choice(SPACES[:6])


def _value(random: Random, depth: int) -> str:
    kind = random.random()
    if depth < 4 and kind < 0.3:
        items = [_value(random, depth + 1) for _ in range(random.randint(0, 3))]
        return "[" + _space(random) + ("," + _space(random)).join(items) + "]"
    if depth < 4 and kind < 0.55:
        return _object(random, depth + 1).decode("utf-8", "surrogatepass")
    if kind < 0.7:
        usual = NUMBERS if random.random() < 0.1 else NUMBERS[:5]
        return random.choice(usual)
    if kind < 0.75:
        return random.choice(LITERALS if random.random() < 0.1 else LITERALS[:3])
    return _string(random)


def _string(random: Random) -> str:
    chance = random.random()
    if chance < 0.06:
        return f'"{random.choice(LOCATORS)}"'
    if chance < 0.15:
        return '"' + "".join(random.choice(ESCAPED) for _ in range(random.randint(1, 3))) + '"'
    return json.dumps(random.choice(KEYS), ensure_ascii=random.random() < 0.5)


def _object(random: Random, depth: int) -> bytes:
    members = []
    for _ in range(random.randint(0, 4)):
        key = _string(random) if random.random() < 0.3 else json.dumps(random.choice(KEYS))
        members.append(f"{key}{_space(random)}:{_space(random)}{_value(random, depth)}")
    text = "{" + ("," + _space(random)).join(members) + _space(random) + "}"
    return text.encode("utf-8", "surrogatepass")


def _text(random: Random, depth: int) -> bytes:
    return (_space(random) + _value(random, depth)).encode("utf-8", "surrogatepass")


def _number(random: Random) -> bytes:
    """Give a document of numbers, most of them doubles of random bits in several spellings."""
    spelled = []
    for _ in range(6):
        (double,) = struct.unpack("<d", random.randbytes(8))
        digits = random.choice((repr(double), f"{double:.30e}", f"{double:.17g}", f"{double:.5E}"))
        spelled.append(digits if "n" not in digits else "0")  # neither nan nor inf
        spelled.append(str(random.randint(0, 10 ** random.randint(1, 17))))
        whole, part = random.randint(0, 10**9), random.randint(0, 10**9)
        spelled.append(f"{whole}.{part}e{random.choice((20, -9, 0))}")
    return ('{"a":[' + ",".join(spelled) + "]}").encode()


def _issued(random: Random) -> bytes:
    """Give a document with issuers in all the shapes that are read, and some that are not."""

    def name(depth: int) -> object:
        texts = ("U", "V", "", " U\u00a0\x1cU ", "\U0001f600" * 1024, "x" * 1025, 1, None)
        text = random.choice(texts if random.random() < 0.2 else texts[:2])
        if depth == 0 or random.random() < 0.4:
            return text
        inner = [name(depth - 1) for _ in range(random.choice((0, 1, 1, 2)))]
        return inner if random.random() < 0.5 else dict(zip(("en", "es"), inner, strict=False))

    def issuer(depth: int) -> object:
        if depth and random.random() < 0.3:
            return [issuer(depth - 1) for _ in range(random.choice((0, 1, 2, 3, 45)))]
        if random.random() < 0.2:
            return name(0)
        ids = ("https://u.example", "did:web:u.example", "", None, 7, ["a"])
        given = {"id": random.choice(ids), "name": name(2), "legalName": name(3), "prefLabel": 1}
        return {key: value for key, value in given.items() if random.random() < 0.6}

    inner = {"issuer": issuer(1), "iss": issuer(1)}
    return json.dumps({"iss": issuer(2), "issuer": issuer(2), "vc": inner, "a": LOCATOR}).encode()


def _json_part(random: Random, usual: object) -> str:
    chance = random.random()
    if chance < 0.85:
        return base64url.encode(json.dumps(usual).encode())
    data = _object(random, 2) if chance < 0.97 else b64encode(_object(random, 2))
    return base64url.encode(data)


def _disclosing(random: Random) -> tuple[object, list[str]]:
    """Give a payload with hashes, and disclosures, some of which are of it."""
    algorithm = random.choice((*["sha-256"] * 8, "sha-384", "sha-1"))
    disclosures: list[str] = []
    for _ in range(random.randint(0, 3)):
        items: list[object] = [str(random.randint(0, 3)), random.choice(KEYS)]
        if random.random() < 0.5:
            items.append({"_sd": [_reference(one) for one in disclosures[-1:]]})
        disclosures.append(base64url.encode(json.dumps(items).encode()))
    known = [_reference(one) for one in disclosures if random.random() < 0.95]
    payload: dict[str, object] = {
        random.choice(KEYS): random.choice(KEYS),
        "iss": {"name": {"en": random.choice(KEYS)}},
        "evidence": random.choice(LOCATORS) if random.random() < 0.3 else "",
        "_sd": known[::2],
        "list": [{"...": one} for one in known[1::2]],
    }
    if algorithm != "sha-256" or random.random() < 0.5:
        payload["_sd_alg"] = algorithm
    random.shuffle(disclosures)
    return payload, disclosures


def _reference(disclosure: str) -> str:
    return base64url.encode(sha256(disclosure.encode()).digest())


def _jwt(random: Random) -> bytes:
    payload, disclosures = _disclosing(random)
    header, claims = _json_part(random, {"alg": "ES256"}), _json_part(random, payload)
    made = f"{header}.{claims}.AAAA"
    if disclosures:
        key_binding = random.choice(("", "", "", "AAAA.AAAA.AAAA", "AAAA"))
        made = "~".join((made, *disclosures, key_binding))
    if random.random() < 0.2:
        made = random.choice((" {}\n", "\x0b{}", "{}\u00a0", "{}=")).format(made)
    if random.random() < 0.05:
        made = made.replace("-", "+").replace("_", "/")
    return made.encode()


def _jws(random: Random) -> bytes:
    payload, disclosures = _disclosing(random)
    header: dict[str, object] = {"alg": "ES256"}
    text = _json_part(random, payload)
    if random.random() < 0.3:
        header |= {"b64": False, "crit": random.choice((["b64"], [], "b64", ["b64", "x"]))}
        text = json.dumps(payload)
    signature: dict[str, object] = {"protected": _json_part(random, header), "signature": "AAAA"}
    if disclosures or random.random() < 0.3:
        signature["header"] = {"disclosures": disclosures}
        if random.random() < 0.2:
            signature["header"] = {random.choice(KEYS): random.choice((1, "a", []))}
    if random.random() < 0.5:
        signature = {"signatures": [signature] * random.choice((1, 1, 1, 2))}
    return json.dumps({"payload": text, **signature}).encode()
