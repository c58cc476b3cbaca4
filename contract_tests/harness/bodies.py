"""Bodies of requests, made from a contract's documents: the least valid ones, and values for their properties."""

import copy
from collections.abc import Iterator
from typing import Any

from contract_tests.harness import values
from contract_tests.harness.probe import fill
from contract_tests.harness.values import Judges, Variant
from contracts.catalogue import Contract
from contracts.document import Operation
from contracts.model import Account
from contracts.readings import Readings
from contracts.request import Body, Request
from contracts.schema import Document, Schema, resolve


class Bodies:
    """Makes bodies for the operations of one contract, with places (see `probe`) where names and secrets go."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._document = contract.effective.raw

    def properties(self, operation: Operation) -> dict[str, dict[str, Any]]:
        schema = resolve(self._document, operation.body.schema) if operation.body else {}
        return {name: resolve(self._document, raw) for name, raw in schema.get("properties", {}).items()}

    def required(self, operation: Operation) -> list[str]:
        """The names of the body's required properties."""
        found: list[str] = resolve(self._document, operation.body.schema).get("required", []) if operation.body else []
        return found

    def optional(self, operation: Operation) -> list[str]:
        """The names of the body's other properties."""
        required = self.required(operation)
        return [name for name in self.properties(operation) if name not in required]

    def role(self, operation: Operation, name: str) -> str | None:
        return self._contract.identities.get(operation.id, {}).get(f"/{name}")

    def baseline(self, operation: Operation) -> Any:
        """The least valid body: what is required, and one optional property where the schema wants more.

        That is one whose effect can be seen, with its example, where there is such a one: what should be refused and is
        done all the same then shows.
        """
        if operation.body is None:
            return Body.ABSENT
        properties = self.properties(operation)
        body = {name: self._sample(operation, name, properties[name]) for name in self.required(operation)}
        rules = self._contract.model.rules
        seen = {
            name: bool(prop.get("example")) and f"{operation.id}/effect/{name}" in rules
            for name, prop in properties.items()
        }
        for name, prop in sorted(properties.items(), key=lambda pair: not seen[pair[0]]):
            if operation.body.accepts(self._filled(body)):
                break
            if name not in body and self.role(operation, name) is None:
                body[name] = self._sample(operation, name, prop)
        return body

    def _sample(self, operation: Operation, name: str, prop: dict[str, Any]) -> Any:
        role = self.role(operation, name)
        if role == "new":
            return "{n}"
        if role == "existing":
            return "{stock}"
        if prop.get("format") == "password":
            return "{password}"
        if "example" in prop:
            return prop["example"]
        return next(values.inside(prop, Judges([Schema(self._document, prop)]))).value

    @staticmethod
    def _filled(body: Any) -> Any:
        """``body`` with stand-ins in its places, for asking a schema or the model about it."""
        sizes = {"n": "ct-n", "stock": "ct-stock", "short": "a"}

        def give(word: str, modifier: str) -> str:
            size = int(modifier) if modifier.isdigit() else 12
            return "Password1234".ljust(size, "x")[:size] if word == "password" else (
                sizes.get(word, "ct-x").ljust(size, "x")[:size] if modifier.isdigit() else sizes.get(word, "ct-x")
            )  # fmt: skip

        return fill(body, give)

    def _judges(self, operation: Operation, name: str, *, item: bool) -> Judges:
        """Effective and published schema of a property, or of its items."""
        found = []
        theirs = self._contract.published.at(operation.path, operation.method)
        for document, body in (
            (self._document, operation.body),
            (self._contract.published.raw, theirs and theirs.body),
        ):
            if body:
                prop = resolve(document, resolve(document, body.schema)["properties"].get(name, {}))
                found.append(Schema(document, prop.get("items", {}) if item else prop))
        return Judges(found)

    def variants(self, operation: Operation, name: str, prop: dict[str, Any], *, accepted: bool) -> Iterator[Variant]:
        role = self.role(operation, name)
        items = self._judges(operation, name, item=True) if prop.get("type") == "array" else None
        judges = self._judges(operation, name, item=False)
        akin = listed_elsewhere(self._document, name) if "enum" in prop else []
        found = values.inside(prop, judges, items) if accepted else values.outside(prop, judges, items, akin)
        for variant in found:
            if role is None:
                yield variant
            elif variant.keyword in ("minLength", "maxLength"):
                size = len(variant.value)
                place = f"{{n:{size}}}" if size > 30 else f"{{short:{size}}}" if size else ""
                yield Variant(variant.keyword, place)
            elif variant.keyword == "type" and not accepted:
                yield variant

    def accepted(self, operation: Operation, body: Any) -> bool:
        """Whether the model accepts ``body`` in every reading, from a state where what it names exists."""
        contract = self._contract
        model = contract.model
        accounts = [Account(credential.account, credential.test) for credential in contract.credentials]
        state = model.start(accounts, Readings(model.readings), "ct-")
        place = contract.places[0]
        headers = {place.header.lower(): place.form.format(contract.credentials[0].test)}
        create = contract.operations[contract.lifecycle.create]
        stock = Request(create.id, create.method, create.path, headers, self._stocked(create), {}, 0.0)
        state = model.outcomes(state, stock)[0].follow(None)
        asked = Request(operation.id, operation.method, operation.path, headers, self._filled(body), {}, 0.0)
        return all(outcome.status < 300 or outcome.status == 409 for outcome in model.outcomes(state, asked))

    def _stocked(self, create: Operation) -> Any:
        body = copy.deepcopy(self._filled(self.baseline(create)))
        for pointer, role in self._contract.identities.get(create.id, {}).items():
            if role == "new":
                body[pointer[1:]] = "ct-stock"
        return body


def listed_elsewhere(document: Document, name: str) -> list[Any]:
    """The values that properties called ``name`` may have anywhere in a document, where it lists them."""
    found: dict[Any, None] = {}

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            properties = node.get("properties")
            if isinstance(properties, dict) and name in properties:
                found.update(dict.fromkeys(resolve(document, properties[name]).get("enum", ())))
            for inner in node.values():
                walk(inner)
        elif isinstance(node, list):
            for inner in node:
                walk(inner)

    walk(document)
    return list(found)
