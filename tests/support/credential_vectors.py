"""Vectors for what JavaScript reads otherwise than Python, unless it is told not to.

Written out by hand here, with the result next to the input; nothing is computed by the product.
They join the older, hand-written files of tests/vectors/credentials, whose README says what a
case holds; `scripts/vectors` writes them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Final

from testamur.credentials import base64url

Case = dict[str, object]

JCS, JWS_JSON, JWT, BYTES = "jcs-sha256", "jws-json-sha256", "jwt-sha256", "bytes-sha256"
HEADER: Final = base64url.encode(b'{"alg":"ES256"}')
LEDGER_ID, SALT, OTHER_SALT = "ab" * 32, "01" * 32, "02" * 32
LOCATOR: Final = f"testamur:1:{LEDGER_ID}:3:{SALT}"
FOUND: Final = {"ledger_id": LEDGER_ID, "member": 3, "salt": SALT}
HALF_WAY: Final = "1.000000000000000111022302462515654042363166809082031"
ALDERMERE: Final = "University of Aldermere"

READ: Final[Mapping[str, tuple[str, str]]] = {
    "keys-of-javascript": (
        '{"b":[{"__proto__":null}],"toString":3,"__proto__":{"a":1},"constructor":2}',
        '{"__proto__":{"a":1},"b":[{"__proto__":null}],"constructor":2,"toString":3}',
    ),
    "keys-like-numbers": (
        '{"b":1,"10":2,"9":3,"-1":4,"01":5,"4294967295":6}',
        '{"-1":4,"01":5,"10":2,"4294967295":6,"9":3,"b":1}',
    ),
    "lists-side-by-side": (f'{{"a":[{"[]," * 200}{{}}]}}', f'{{"a":[{"[]," * 200}{{}}]}}'),
    "key-empty": ('{"a":1,"":2}', '{"":2,"a":1}'),
    "keys-escaped-in-utf16-order": (
        r'{"\ufb33":1,"\ud83d\ude00":2}',
        '{"\U0001f600":2,"\ufb33":1}',
    ),
    "zero-byte-escaped": (r'{"a\u0000b":"\u0000"}', r'{"a\u0000b":"\u0000"}'),
    "line-separators": (
        '{"a":"\u2028\u2029\x7f\x85","b":"\\u2028\\u2029\\u007f\\u0085"}',
        '{"a":"\u2028\u2029\x7f\x85","b":"\u2028\u2029\x7f\x85"}',
    ),
    "byte-order-mark-in-a-string": ('{"a":"\ufeff"}', '{"a":"\ufeff"}'),
    "solidus-escaped": (r'{"a":"\/\u002f"}', '{"a":"//"}'),
    "numbers-that-are-zero": ('{"a":[-0,-0.0,-0e5,0e-999,0E+999]}', '{"a":[0,0,0,0,0]}'),
    "numbers-in-exponents": (
        '{"a":[1E2,1e20,1e21,1e-6,1e-7,123456789012345680000.0,2e-3]}',
        '{"a":[100,100000000000000000000,1e+21,0.000001,1e-7,123456789012345680000,0.002]}',
    ),
    "numbers-at-the-ends": (
        '{"a":[5e-324,3e-324,2.2250738585072014e-308,1.7976931348623157e308,-1.7976931348623158e308]}',
        '{"a":[5e-324,5e-324,2.2250738585072014e-308,1.7976931348623157e+308,-1.7976931348623157e+308]}',
    ),
    "integer-spelled-as-a-fraction": ('{"a":9007199254740993.0}', '{"a":9007199254740992}'),
    "rounding-down-by-the-53rd-digit": (f'{{"a":{HALF_WAY}25}}', '{"a":1}'),
    "rounding-up-by-the-53rd-digit": (f'{{"a":{HALF_WAY}26}}', '{"a":1.0000000000000002}'),
}
"""Name → document, canonical form."""

REFUSED: Final[Mapping[str, tuple[str, str]]] = {
    "duplicate-key-of-javascript": ('{"__proto__":1,"__proto__":2}', "duplicate_key"),
    "duplicate-key-empty": ('{"":1,"":1}', "duplicate_key"),
    "duplicate-key-pair-escaped": (
        '{"\U0001f600":1,"\\ud83d\\ude00":2}',
        "duplicate_key",
    ),
    "duplicate-key-zero-byte": (r'{"\u0000":1,"\u0000":2}', "duplicate_key"),
    "duplicate-key-before-a-fault": ('{"a":{"b":1,"b":2},]', "duplicate_key"),
    "duplicate-key-after-a-fault": ('{"a":1,"a":2]', "unparsable_credential"),
    "integer-9007199254740993": ('{"a":9007199254740993}', "number_out_of_range"),
    "integer-of-javascript": ('{"a":1n}', "unparsable_credential"),
    "integer-before-a-fault": ('{"a":9007199254740992.}', "number_out_of_range"),
    "number-overflows-negative": ('{"a":-1e400}', "number_out_of_range"),
    "number-overflows-by-rounding": ('{"a":1.7976931348623159e308}', "number_out_of_range"),
    "number-underflows-by-rounding": ('{"a":2e-324}', "number_out_of_range"),
    "number-underflows-as-a-fraction": (f'{{"a":0.{"0" * 400}1}}', "number_out_of_range"),
    "number-before-a-half-pair": (r'{"a":"\ud800","b":1e400}', "number_out_of_range"),
    "number-hexadecimal": ('{"a":0x10}', "unparsable_credential"),
    "number-with-separator": ('{"a":1_000}', "unparsable_credential"),
    "number-without-fraction": ('{"a":1.}', "unparsable_credential"),
    "number-without-exponent": ('{"a":1e}', "unparsable_credential"),
    "number-of-other-digits": ('{"a":\u0661}', "unparsable_credential"),
    "number-a-minus": ('{"a":-}', "unparsable_credential"),
    "nan-before-a-fault": ('{"a":NaNa', "number_out_of_range"),
    "nan-as-a-key": ("{NaN:1}", "unparsable_credential"),
    "literal-undefined": ('{"a":undefined}', "unparsable_credential"),
    "literal-capital": ('{"a":True}', "unparsable_credential"),
    "top-level-null": ("null", "unparsable_credential"),
    "array-with-a-hole": ('{"a":[1,,2]}', "unparsable_credential"),
    "array-trailing-comma": ('{"a":[1,]}', "unparsable_credential"),
    "key-without-quotes": ("{a:1}", "unparsable_credential"),
    "key-without-its-first-quote": ('{xa":1}', "unparsable_credential"),
    "key-without-a-colon": ('{"a" 1}', "unparsable_credential"),
    "members-without-a-comma": ('{"a":1 "b":2}', "unparsable_credential"),
    "items-without-a-comma": ('{"a":[1 2]}', "unparsable_credential"),
    "back-quotes": ('{"a":`b`}', "unparsable_credential"),
    "escape-with-a-plus": (r'{"a":"\u+041"}', "unparsable_credential"),
    "escape-with-a-space": (r'{"a":"\u 041"}', "unparsable_credential"),
    "escape-with-a-letter-g": (r'{"a":"\u00g0"}', "unparsable_credential"),
    "escape-in-braces": (r'{"a":"\u{41}"}', "unparsable_credential"),
    "escape-hexadecimal": (r'{"a":"\x41"}', "unparsable_credential"),
    "escape-zero": (r'{"a":"\0"}', "unparsable_credential"),
    "escape-cut-off": (r'{"a":"\u00', "unparsable_credential"),
    "half-pair-then-text": (r'{"a":"\ud83dx\ude00"}', "lone_surrogate"),
    "half-pair-twice": (r'{"a":"\ud83d\ud83d\ude00"}', "lone_surrogate"),
    "half-pair-of-javascript": (r'{"__proto__":"\ude00"}', "lone_surrogate"),
    "zero-byte": ('{"a":"\x00"}', "unparsable_credential"),
    "line-feed-in-a-string": ('{"a":"\n"}', "unparsable_credential"),
    "line-separator-between": ('{"a":1\u2028}', "unparsable_credential"),
    "vertical-tab-between": ('{"a":1\x0b}', "unparsable_credential"),
    "byte-order-mark-between": ('{"a":\ufeff1}', "unparsable_credential"),
}
"""Name → document, code of the error."""


def profiles() -> dict[str, Case]:
    """Give the cases for the folder ``profiles``."""
    made: dict[str, Case] = {}
    for name, (artefact, hashed) in READ.items():
        digest = sha256(hashed.encode()).hexdigest()
        made[f"jcs-{name}"] = {
            "profile": JCS,
            "artefact": artefact,
            "hashed": hashed,
            "digest": digest,
        }
    for name, (artefact, error) in REFUSED.items():
        made[f"jcs-{name}"] = {"profile": JCS, "artefact": artefact, "error": error}
    token, twice = f"{HEADER}.e30.AAAA", '{"__proto__":1,"__proto__":1}'
    # A disclosure has to be there, or the payload is not read.
    lists = {"a-letter": "a", "a-number": 1, "an-object": {}, "null": None}
    payloads = {name: _encoded(json.dumps({"_sd": one})) for name, one in lists.items()}
    not_lists = {
        f"sd-sd-{name}-for-a-list": f"{HEADER}.{payload}.AAAA~WyJhIiwiYiIsMV0~"
        for name, payload in payloads.items()
    }
    for name, artefact in {
        "other-letter": token.replace("e", "\uff45", 1),
        "other-letter-after-tilde": f"{token}~\u212a",
        "signature-starts-with-a-plus": f"{HEADER}.e30.+AAA",
        **not_lists,
        "byte-order-mark": f"\ufeff{token}",
        "header-repeats-a-key-of-javascript": f"{_encoded(twice)}.e30.AA",
    }.items():
        error = "duplicate_key" if "repeats" in name else "unparsable_credential"
        made[f"jwt-{name}"] = {"profile": JWT, "artefact": artefact, "error": error}
    # In the disclosure it is 128 deep with the list of its items, and in the payload as well.
    deep = _encoded('["salt","a",' + "[" * 127 + "]" * 127 + "]")
    payload = json.dumps({"_sd": [base64url.encode(sha256(deep.encode()).digest())]})
    signed = f"{HEADER}.{_encoded(payload)}.AAAA"
    made["jwt-sd-128-deep-when-disclosed"] = {
        "profile": JWT,
        "artefact": f"{signed}~{deep}~",
        "hashed": signed,
        "digest": sha256(signed.encode()).hexdigest(),
    }
    member = {"payload": "e30", "protected": HEADER, "signature": "AAAA"}
    made["jws-member-of-javascript"] = {
        "profile": JWS_JSON,
        "artefact": json.dumps(member | {"__proto__": {"b64": False}}),
        "error": "unparsable_credential",
    }
    return made


def detect() -> dict[str, Case]:
    """Give the cases for the folder ``detect``."""
    token = f"{HEADER}.e30.AAAA"
    seal = json.dumps({"payload": "e30", "protected": HEADER, "signature": "AAAA"})
    header = '{"alg":"none"}'  # 14 bytes: its base64 lacks one character of whole fours
    chosen = {
        "object": ("\r\n\t {}", JCS),
        "object-with-a-payload-alone": ('{"payload":1}', JCS),
        "jws": (seal, JWS_JSON),
        "jwt": (f" {token}\n", JWT),
        "jwt-with-a-tilde": (f"{token}~", JWT),
        "jwt-header-that-lacks-one-pad": (f"{_encoded(header)}.e30.AAAA", JWT),
        "jwt-header-that-lacks-two-pads": (f"{_encoded(header + '  ')}.e30.AAAA", JWT),
        "array": ("[1]", BYTES),
        "number": ("1", BYTES),
        "string": ('"{}"', BYTES),
        "empty": ("", BYTES),
        "white-space": (" \n", BYTES),
        "form-feed-and-object": ("\x0c{}", BYTES),
        "pdf": ("%PDF-1.4\n{}", BYTES),
        "text-that-starts-with-e": ("e.g.a", BYTES),
        "three-words": ("everything.is.text", BYTES),
        "four-parts": (f"{token}.AAAA", BYTES),
        "vertical-tab-and-jwt": (f"\x0b{token}", BYTES),
        "no-break-space-and-jwt": (f"\u00a0{token}", BYTES),
        "header-of-halves": ("e".ljust(4, "=") + ".AA.AA", BYTES),
    }
    refused = {
        "object-cut-off": ('{"a":', "unparsable_credential"),
        "array-cut-off": ("[1", "unparsable_credential"),
        "object-after-zero-bytes": ("\x00{}", "unparsable_credential"),
        "object-after-a-byte-order-mark": ("\ufeff{}", "unparsable_credential"),
        "object-with-a-key-twice": ('{"a":1,"a":2}', "duplicate_key"),
        "jws-two-signatures": (
            '{"payload":"e30","signatures":[{},{}]}',
            "several_signatures",
        ),
        "jws-without-header": ('{"payload":"e30","signature":"AA"}', "unparsable_credential"),
        "jwt-broken-in-lines": (f"{token[:9]}\n{token[9:]}", "unparsable_credential"),
        "jwt-padded": (f"{token}=", "unparsable_credential"),
        "jwt-plain-base64": (f"{token}+/", "unparsable_credential"),
        "jwt-padded-within": (f"{HEADER}=.e30.AAAA", "unparsable_credential"),
        "jwt-unsigned": (f"{HEADER}.e30.", "unparsable_credential"),
        "jwt-with-another-disclosure": (f"{token}~WyJhIiwiYiIsMV0~", "unmatched_disclosure"),
    }
    made: dict[str, Case] = {name: {"artefact": a, "profile": p} for name, (a, p) in chosen.items()}
    return made | {name: {"artefact": a, "error": e} for name, (a, e) in refused.items()}


def locator() -> dict[str, Case]:
    """Give the cases for the folder ``locator``."""
    other = LOCATOR.replace(SALT, OTHER_SALT)
    damaged, several = "locator_format", "several_locators"
    found: list[tuple[str, str, object, object]] = [
        ("in-a-value", JCS, {"a": [f"https://verify.example/#{LOCATOR}"]}, FOUND),
        ("in-a-key", JCS, {"__proto__": {LOCATOR: 1}}, FOUND),
        ("in-a-longer-number", JCS, {"a": f"x{LOCATOR}9"}, FOUND),
        ("twice-the-same", JCS, {"a": LOCATOR, "b": f"{LOCATOR} {LOCATOR}"}, FOUND),
        ("none", JCS, {"a": "testamur:2:", "b": "testamur"}, None),
        ("in-the-proof", JCS, {"proof": LOCATOR}, None),
        ("in-an-inner-proof", JCS, {"a": {"proof": LOCATOR}}, FOUND),
        ("split-over-two-strings", JCS, {"a": [LOCATOR[:9], LOCATOR[9:]]}, None),
        ("two-that-differ", JCS, {"a": LOCATOR, "b": other}, several),
        ("two-that-differ-in-one-string", JCS, {"a": f"{LOCATOR}{other}"}, several),
        ("damaged-before-another", JCS, {"a": LOCATOR[:-1], "b": LOCATOR}, damaged),
        ("damaged-within-another", JCS, {"a": f"testamur:1:{LOCATOR}"}, damaged),
        ("capitals", JCS, {"a": LOCATOR.replace("ab", "AB")}, damaged),
        ("member-0", JCS, {"a": LOCATOR.replace(":3:", ":0:")}, damaged),
        ("member-03", JCS, {"a": LOCATOR.replace(":3:", ":03:")}, damaged),
        ("member-plus-@32", JCS, {"a": LOCATOR.replace(":3:", ":4294967296:")}, damaged),
        ("line-break-within", JCS, {"a": f"{LOCATOR[:40]}\n{LOCATOR[40:]}"}, damaged),
        ("not-an-object", JCS, [LOCATOR], "unparsable_credential"),
        ("another-profile", "sha256", {"a": LOCATOR}, "unknown_profile"),
    ]
    made = {name: _located(profile, json.dumps(a), f) for name, profile, a, f in found}
    made["escaped"] = _located(JCS, '{"a":"' + LOCATOR.replace("t", r"\u0074") + '"}', FOUND)
    payload = _encoded(json.dumps({"a": LOCATOR}))
    made["jwt"] = _located(JWT, f"{HEADER}.{payload}.AAAA", FOUND)
    made["jwt-in-the-header"] = _located(
        JWT, f"{_encoded(json.dumps({'alg': 'ES256', 'a': LOCATOR}))}.e30.AAAA", None
    )
    bare = _encoded(f"a payload of {LOCATOR} in bytes")
    made["jwt-payload-of-bytes"] = _located(JWT, f"{HEADER}.{bare}.AAAA", FOUND)
    disclosure = _encoded(json.dumps(["salt", "a", LOCATOR]))
    hashed = base64url.encode(sha256(disclosure.encode()).digest())
    disclosing = _encoded(json.dumps({"_sd": [hashed]}))
    made["jwt-in-a-disclosure"] = _located(JWT, f"{HEADER}.{disclosing}.AAAA~{disclosure}~", FOUND)
    seal = {"payload": payload, "protected": HEADER, "signature": "AAAA"}
    made["jws"] = _located(JWS_JSON, json.dumps(seal), FOUND)
    made["bytes"] = _located(BYTES, f"%PDF \u00e9 testamur {LOCATOR}\u00e9", FOUND)
    made["bytes-at-the-end-cut-off"] = _located(BYTES, LOCATOR[:-1], damaged)
    made["bytes-two-that-differ"] = _located(BYTES, f"{LOCATOR}\n{other}", several)
    made["bytes-none"] = _located(BYTES, "t testamur:1", None)
    return made


def issuers() -> dict[str, Case]:
    """Give the cases for the folder ``issuers``: what ``POST /v1/verify`` is told of them."""
    own, aldermere = "https://aldermere.example", [[ALDERMERE]]
    both = {"en": ALDERMERE, "es": ["Universidad de Aldermere"]}
    translated = [[ALDERMERE, "Universidad de Aldermere"]]
    many = [f"https://{number}.example" for number in range(41)]
    told: list[tuple[str, object, object]] = [
        ("none", {"name": ALDERMERE}, None),
        ("null", {"issuer": None, "iss": 7}, None),
        ("text", {"issuer": own}, [{"id": own, "names": []}]),
        ("object", {"issuer": {"id": own, "name": ALDERMERE}}, [{"id": own, "names": aldermere}]),
        ("name-alone", {"issuer": {"name": ALDERMERE}}, [{"names": aldermere}]),
        ("identifier-null", {"issuer": {"id": None, "name": "U"}}, [{"names": [["U"]]}]),
        (
            "translations",
            {"issuer": {"id": own, "legalName": both}},
            [{"id": own, "names": translated}],
        ),
        (
            "two-texts-for-a-language",
            {"issuer": {"name": {"en": ["U", "V"], "es": "W"}}},
            [{"names": [["U"], ["V"], ["W"]]}],
        ),
        (
            "languages-like-numbers",
            {"issuer": {"name": {"b": "U", "10": "V", "9": "W"}}},
            [{"names": [["U", "V", "W"]]}],
        ),
        (
            "same-identifier-twice",
            {
                "iss": own,
                "issuer": {"id": own, "name": "U"},
                "vc": {"issuer": {"id": own, "name": "U"}},
            },
            [{"id": own, "names": [["U"]]}],
        ),
        (
            "issuer-before-iss-and-vc",
            {"vc": {"iss": "c"}, "iss": "b", "issuer": ["a", {"name": "n"}]},
            [
                {"id": "a", "names": []},
                {"id": "b", "names": []},
                {"id": "c", "names": []},
                {"names": [["n"]]},
            ],
        ),
        ("identifier-no-text", {"issuer": {"id": [own], "name": "U"}}, [{"names": [['U ("")…']]}]),
        ("name-empty", {"issuer": {"id": own, "name": ""}}, [{"names": [[f'"" ({own})…']]}]),
        (
            "name-of-1024-pairs",
            {"issuer": {"name": "\U0001f600" * 1024}},
            [{"names": [["\U0001f600" * 1024]]}],
        ),
        (
            "name-of-1025-characters",
            {"issuer": {"name": "x" * 1025}},
            [{"names": [[f"{'x' * 200}……"]]}],
        ),
        ("forty", {"issuer": many[:40]}, [{"id": one, "names": []} for one in many[:40]]),
        (
            "forty-and-one-is-empty",
            {"issuer": [*many[:39], ""]},
            [{"names": [[f'{", ".join(many[:39])}, ""…']]}],
        ),
        (
            "name-of-200-characters-and-an-empty-one",
            {"issuer": {"name": ["x" * 200, ""]}},
            [{"names": [[f'{"x" * 200}, ""…']]}],
        ),
        ("forty-one", {"issuer": many}, [{"names": [[f"{', '.join(many[:40])} and 1 more…"]]}]),
        (
            "space-of-python",
            {"issuer": {"id": "", "name": "a\x1c\x85\u00a0b\ufeff"}},
            [{"names": [['a b\ufeff ("")…']]}],
        ),
        ("key-of-javascript", {"__proto__": {"issuer": own}}, None),
    ]
    made: dict[str, Case] = {
        name: {"profile": JCS, "artefact": json.dumps(document), "issuers": found}
        for name, document, found in told
    }
    token = f"{HEADER}.{_encoded(json.dumps({'iss': own}))}.AAAA"
    made["jwt"] = {"profile": JWT, "artefact": token, "issuers": [{"id": own, "names": []}]}
    made["bytes"] = {"profile": BYTES, "artefact": json.dumps({"issuer": own}), "issuers": None}
    made["unreadable"] = {"profile": JWT, "artefact": f"{HEADER}.AAAA.AAAA", "issuers": None}
    return made


FOLDERS: Final[Mapping[str, Callable[[], dict[str, Case]]]] = {
    "profiles": profiles,
    "detect": detect,
    "locator": locator,
    "issuers": issuers,
}
"""Folder below tests/vectors/credentials → what makes the cases in it."""


def _encoded(text: str) -> str:
    return base64url.encode(text.encode())


def _located(profile: str, artefact: str, found: object) -> Case:
    case: Case = {"profile": profile, "artefact": artefact}
    return case | ({"error": found} if isinstance(found, str) else {"found": found})
