"""The questions of ``testamur init``, each answer checked as soon as it is there."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from testamur.cli import init_chain, output
from testamur.cli.asking import Asking
from testamur.errors import ChainIdentityError, ChainUnavailableError, ConfigurationError
from testamur.ledger.trust import Network

if TYPE_CHECKING:
    from testamur.ledger.birth import Birth

KEYSTORE_NAME: Final = "anchor-keystore.json"
RPC_VARIABLE: Final = "TESTAMUR_RPC_URL"
PASSWORD_VARIABLE: Final = "TESTAMUR_ANCHOR_KEYSTORE_PASSWORD"  # noqa: S105 - its name
_SECRET_BYTES: Final = 32
_OF_A_CHAIN: Final = (
    *("contract", "contract_block", "ledger_id", "member", "keystore", "new_key"),
    *("network_name", "network_kind"),
)
"""The options that a trial has no use for."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was given on the command line; None and False: not given."""

    trial: bool | None
    contract: str | None
    contract_block: str | None
    ledger_id: str | None
    member: str | None
    keystore: str | None
    new_key: bool
    unchecked: bool
    network_name: str | None
    network_kind: str | None
    host: str | None
    port: str | None
    data_dir: str | None


@dataclass(slots=True)
class Answers:
    """What will be written."""

    settings: dict[str, object] = field(default_factory=dict)
    """By name, checked."""
    keystore: str | None = None
    """Content of a new keystore, which is written beside the settings; None: no new one."""
    address: bytes | None = None
    """Whose coins pay for anchors, and who has to be registered; None: the node never anchors."""


def answer(options: Options, asking: Asking, random_bytes: Callable[[int], bytes]) -> Answers:
    """Collect and check all that a settings file needs; writes nothing.

    ``random_bytes`` makes a new key, if one is asked for.

    Raises:
        TestamurError: an answer is wrong or missing, and nobody can be asked for a better one.
    """
    from testamur.config import TRIAL_DEFAULTS  # noqa: PLC0415 (slow to import)

    answers = Answers()
    chosen = [name for name in _OF_A_CHAIN if getattr(options, name)]
    trial = options.trial if options.trial is not None or not chosen else False
    if asking.confirm(
        "A trial, on a chain of its own that proves nothing to others?",
        given=trial,
        option="--trial or --real",
        default=RPC_VARIABLE not in os.environ,
    ):
        if chosen:
            raise ConfigurationError("a trial has its own chain, ledger and keys: leave them out")
        answers.settings.update(TRIAL_DEFAULTS)
    else:
        _ask_for_ledger(options, asking, random_bytes, answers)
    settings = answers.settings
    settings["host"] = asking.ask(
        "Address to listen on", options.host, _text("host"), option="--host", default="127.0.0.1"
    )
    settings["port"] = asking.ask(
        "Port", options.port, _number("port"), option="--port", default="8180"
    )
    where = Path("data") if options.data_dir is None else Path(options.data_dir).absolute()
    settings["data_dir"] = where
    return answers


def _ask_for_ledger(
    options: Options,
    asking: Asking,
    random_bytes: Callable[[int], bytes],
    answers: Answers,
) -> None:
    settings = answers.settings
    seen = _ask_for_chain(options, asking, settings)
    birth = _ask_for_contract(options, asking, settings, reached=seen is not None)
    _ask_for_ledger_id(options, asking, settings, birth)
    _ask_for_member(options, asking, settings, birth)
    _ask_for_key(options, asking, random_bytes, answers, reached=birth is not None)
    proposed: Network = init_chain.network_of(None if seen is None else seen.chain_id)
    settings["network_name"] = asking.ask(
        "What the chain is called in reports",
        options.network_name,
        _text("network_name"),
        option="--network-name",
        default=proposed.name,
    )
    settings["network_kind"] = asking.ask(
        "What an anchor on it is worth: local, test or main",
        options.network_kind,
        _text("network_kind"),
        option="--network-kind",
        default=proposed.kind.value,
    )


def _ask_for_chain(
    options: Options, asking: Asking, settings: dict[str, object]
) -> init_chain.SeenChain | None:
    given = os.environ.get(RPC_VARIABLE)
    while True:
        settings["rpc_url"] = asking.ask(
            "RPC URL of the chain (not shown)",
            given,
            _text("rpc_url"),
            option=f"the environment variable {RPC_VARIABLE}",
            hidden=True,
        )
        try:
            seen = init_chain.look_at_chain(str(settings["rpc_url"]))
        except ChainUnavailableError as exc:
            if _goes_on_without(exc, options, asking):
                return None
            given = None
            continue
        output.note(f"  chain {seen.chain_id}, block {seen.block}")
        return seen


def _goes_on_without(failure: ChainUnavailableError, options: Options, asking: Asking) -> bool:
    """Whether to go on unchecked; raises the failure where nobody can be asked."""
    if not options.unchecked and not asking.can_ask():
        raise failure
    output.error(failure)
    return options.unchecked or asking.confirm(
        "Go on without asking the chain?", given=None, option="--unchecked", default=False
    )


def _ask_for_contract(
    options: Options, asking: Asking, settings: dict[str, object], *, reached: bool
) -> Birth | None:
    contract, block = options.contract, options.contract_block
    while True:
        settings["contract"] = asking.ask(
            "Address of the ledger contract", contract, _text("contract"), option="--contract"
        )
        settings["contract_block"] = asking.ask(
            "Block of its deployment",
            block,
            _number("contract_block"),
            option="--contract-block",
        )
        if not reached:
            return None
        try:
            birth = init_chain.look_at_birth(
                str(settings["rpc_url"]),
                str(settings["contract"]),
                int(str(settings["contract_block"])),
            )
        except ChainUnavailableError as exc:
            if _goes_on_without(exc, options, asking):
                return None
        except ChainIdentityError as exc:
            if not asking.can_ask():
                raise
            output.error(exc)
            contract = block = None  # one of the two was wrong
        else:
            output.note(f"  ledger {birth.ledger_id().hex()}, whose founders are")
            for number, one in enumerate(birth.members, start=1):
                output.note(f"  {number:>4}  {output.printable(f'{one.name} ({one.domain})')}")
            return birth


def _ask_for_ledger_id(
    options: Options, asking: Asking, settings: dict[str, object], birth: Birth | None
) -> None:
    found = None if birth is None else birth.ledger_id().hex()

    def check(text: str) -> str | None:
        if not text:
            return None
        checked = _text("ledger_id")(text)
        if found not in {None, checked}:
            raise ConfigurationError(f"ledger_id: the ledger of this contract is {found}")
        return checked

    answer = asking.ask(
        "Id of the ledger, as its members publish it",
        options.ledger_id,
        check,
        option="--ledger-id",
        default=found or "",
    )
    if answer is not None:
        settings["ledger_id"] = answer


def _ask_for_member(
    options: Options, asking: Asking, settings: dict[str, object], birth: Birth | None
) -> None:
    def check(text: str) -> int:
        number = _number("member")(text)
        if birth is not None and number > len(birth.members):
            raise ConfigurationError(f"member: the ledger has no member {number}")
        return number

    member = asking.ask("Your member id", options.member, check, option="--member")
    settings["member"] = member
    if birth is not None:
        one = birth.members[member - 1]
        output.note(f"  member {member} is {output.printable(f'{one.name} ({one.domain})')}")


def _ask_for_key(
    options: Options,
    asking: Asking,
    random_bytes: Callable[[int], bytes],
    answers: Answers,
    *,
    reached: bool,
) -> None:
    if options.new_key:
        if options.keystore:
            raise ConfigurationError("--new-key and --keystore exclude each other")
        answers.address, answers.keystore = init_chain.encrypted_key(
            random_bytes(_SECRET_BYTES), _new_password(asking)
        )
        answers.settings["anchor_keystore"] = KEYSTORE_NAME
    else:

        def check(text: str) -> tuple[Path, bytes] | None:
            path = Path(text).expanduser().absolute()
            return (path, init_chain.keystore_key(path)) if text else None

        found = asking.ask(
            "Keystore with the anchor key (empty: this node only follows and proves)",
            options.keystore,
            check,
            option="--keystore",
            default="",
        )
        if found is None:
            return
        answers.settings["anchor_keystore"], answers.address = found
    if reached:
        _compare_key(answers)


def _new_password(asking: Asking) -> str:
    given = os.environ.get(PASSWORD_VARIABLE)
    if given is None:
        return asking.new_password("Password of the new key")
    if not given:
        raise ConfigurationError(f"{PASSWORD_VARIABLE} is empty: a key without a password is open")
    return given


def _compare_key(answers: Answers) -> None:
    """Say whether the ledger lets this key anchor; it may be registered later."""
    settings, address = answers.settings, answers.address or b""
    member = int(str(settings["member"]))
    try:
        registered = init_chain.anchor_key_of(
            str(settings["rpc_url"]), str(settings["contract"]), member
        )
    except ChainUnavailableError as exc:
        output.error(exc)
        return
    if registered == address:
        output.note(f"  0x{address.hex()} is the anchor key of member {member}")
    else:
        output.note(
            f"  WARNING: the anchor key of member {member} is 0x{registered.hex()}, this key's "
            f"address is 0x{address.hex()}: its anchors are refused until it is registered"
        )


def _text(name: str) -> Callable[[str], str]:
    """Give a check of a setting that is kept as it was typed."""
    from testamur.config import check_setting  # noqa: PLC0415 (slow to import)

    def check(text: str) -> str:
        check_setting(name, text)
        return text

    return check


def _number(name: str) -> Callable[[str], int]:
    """Give a check of a setting that is a whole number."""
    from testamur.config import check_setting  # noqa: PLC0415 (slow to import)

    def check(text: str) -> int:
        if not (text.isascii() and text.isdecimal()):
            raise ConfigurationError(f"{name}: not a whole number")
        check_setting(name, int(text))
        return int(text)

    return check
