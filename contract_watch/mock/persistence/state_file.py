"""Vendors' states in a file: read at the start, and written with each change before its response is sent."""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from contract_watch.contracts.outcomes import ModelState
from contract_watch.contracts.resource.item_list import find_changes
from contract_watch.contracts.resource.model import ResourceModel
from contract_watch.contracts.resource.state_codec import FORMAT, StateCodec, StateCodecError
from contract_watch.errors import UsageError
from contract_watch.mock.persistence.schema import label_state_file, open_state_file
from contract_watch.mock.vendor import MockVendor, StateNotSavedError


class StateFile:
    """The open file of ``--state``; see `open_state_file` for its errors."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = open_state_file(path)

    def attach(self, vendors: Sequence[MockVendor]) -> None:
        """Give ``vendors`` the states that the file holds, and write every later change of them.

        Vendors of the file that are not served stay as they are.

        Raises:
            UsageError: the file has no state of one of them, another version's or a corrupt one, or the model's states
                cannot be written.
        """
        try:
            known = [slug for (slug,) in self._connection.execute("SELECT slug FROM vendors ORDER BY slug")]
            for vendor in vendors:
                slug = vendor.contract.slug
                if known and slug not in known:
                    raise UsageError(f"{label_state_file(self.path)}: holds the state of {', '.join(map(repr, known))}, "
                                     f"not of {slug}; serve those or choose another file")  # fmt: skip
            for vendor in vendors:
                store = VendorStore(self._connection, self.path, vendor)
                if vendor.contract.slug in known:
                    store.load(vendor)
                else:
                    store.begin(vendor)
                vendor.store = store
        except StateCodecError as error:
            raise UsageError(f"{label_state_file(self.path)}: cannot be written, because {error}") from error
        except sqlite3.Error as error:
            raise UsageError(f"{label_state_file(self.path)}: is corrupt; delete it or restore a copy") from error

    def close(self) -> None:
        """Close the file; another mock can use it then."""
        self._connection.close()


class VendorStore:
    """The part of one vendor in the file."""

    def __init__(self, connection: sqlite3.Connection, path: Path, vendor: MockVendor) -> None:
        self._connection, self._path, self._slug = connection, path, vendor.contract.slug
        model = vendor.contract.model
        if not isinstance(model, ResourceModel):
            raise UsageError(
                f"{label_state_file(path)}: the states of {self._slug} cannot be written, because its model derives from no "
                "ResourceModel; leave the option out, or that vendor"
            )
        self._codec = StateCodec(model)
        self._digest = f"{FORMAT}/{self._codec.digest}"
        self._choices = ""

    def begin(self, vendor: MockVendor) -> None:
        """Write the state of a vendor that the file does not know yet."""
        self._write(None, vendor.state, vendor.choices)

    def load(self, vendor: MockVendor) -> None:
        """Give ``vendor`` the state that the file holds.

        Raises:
            UsageError: it is another version's, or it was made under other interpretations than those asked for.
        """
        query = "SELECT digest, choices, rest FROM vendors WHERE slug = ?"
        digest, choices, rest = self._connection.execute(query, (self._slug,)).fetchone()
        if digest != self._digest:
            raise UsageError(f"{label_state_file(self._path)}: was written for another version of the contract {self._slug}; "
                             "delete it or serve that version")  # fmt: skip
        query = "SELECT position, content FROM items WHERE slug = ? ORDER BY position"
        rows = self._connection.execute(query, (self._slug,)).fetchall()
        try:
            known = json.loads(choices)
            self._check_choices(vendor.choices, known)
            state = self._codec.decode(rest, (content for _, content in rows), vendor.accounts)
            vendor.restore_choices(known)
        except (StateCodecError, ValueError, TypeError, LookupError, AttributeError) as error:
            raise UsageError(f"{label_state_file(self._path)}: is corrupt; delete it or restore a copy") from error
        vendor.state, self._choices = state, choices
        if any(position != number for number, (position, _) in enumerate(rows)):
            self._write(None, state, vendor.choices)  # so that positions are those of the state again

    def _check_choices(self, asked: Any, known: Any) -> None:
        """Refuse interpretations of the command that differ from those of the file."""
        for name, value in asked["interpretations"].items():
            stored = known["interpretations"].get(name)
            if stored != value:
                was = f"under {stored!r}" if stored else "without it"
                raise UsageError(
                    f"--interpretation {self._slug}.{name}={value}: {label_state_file(self._path)} was written {was}; "
                    "leave the option out or choose another file"
                )

    def save(self, old: ModelState, new: ModelState, choices: Any) -> None:
        """Write the changes from ``old`` to ``new`` in one transaction.

        Raises:
            StateNotSavedError: the file cannot be written; it is as before.
        """
        try:
            self._write(old, new, choices)
        except (sqlite3.Error, StateCodecError) as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            code = getattr(error, "sqlite_errorname", "") or str(error)
            raise StateNotSavedError(f"the change could not be written to the file of --state ({code})") from error

    def _write(self, old: ModelState | None, new: ModelState, choices: Any) -> None:
        """Write what differs from ``old``; everything if it is None."""
        text = json.dumps(choices)
        changed = (
            []
            if old is not None and old.items is new.items
            else list(find_changes(old.items if old else (), new.items))
        )
        is_same = old is not None and text == self._choices and self._codec.has_same_rest(old, new)
        if is_same and not changed:
            return
        put = [(self._slug, at, self._codec.encode_item(item)) for at, item in changed if item is not None]
        gone = [(self._slug, at) for at, item in changed if item is None]
        run = self._connection.execute
        run("BEGIN IMMEDIATE")
        if old is None:
            run("DELETE FROM items WHERE slug = ?", (self._slug,))
        if not is_same:
            row = (self._slug, self._digest, text, self._codec.encode_rest(new))
            run("INSERT OR REPLACE INTO vendors (slug, digest, choices, rest) VALUES (?, ?, ?, ?)", row)
        if not new.items:
            run("DELETE FROM items WHERE slug = ?", (self._slug,))
        else:
            self._connection.executemany("DELETE FROM items WHERE slug = ? AND position = ?", gone)
        self._connection.executemany("INSERT OR REPLACE INTO items (slug, position, content) VALUES (?, ?, ?)", put)
        run("COMMIT")
        self._choices = text
