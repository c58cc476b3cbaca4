"""The collection of document pairs is sound: its documents are well formed, and values prove its verdicts."""

import re
from collections import Counter
from pathlib import Path

import pytest
from jsonschema_rs.canonical import Containment

from tests.support.documents.pair_proofs import PairProof, SchemaOracle
from tests.support.documents.pairs import FRAGMENT_KINDS, JSON, VERDICTS, DocumentPair, load_pairs
from tests.support.documents.well_formedness import find_problems

PAIRS = load_pairs()
AREAS = sorted({pair.area for pair in PAIRS})


def _list_pairs(area: str) -> list[DocumentPair]:
    return [pair for pair in PAIRS if pair.area == area]


def _filter_provable(pairs: list[DocumentPair]) -> list[DocumentPair]:
    """Return the pairs of schemas that values can decide."""
    return [pair for pair in pairs if FRAGMENT_KINDS[pair.fragment_kind].directions and not pair.unprovable]


def _make_proofs(pair: DocumentPair) -> list[PairProof]:
    return [PairProof(pair, flow) for flow in FRAGMENT_KINDS[pair.fragment_kind].directions]


def _wrap_witness(pair: DocumentPair, witness: object) -> object:
    """Return the whole value that contains a witness."""
    return {"value": witness} if FRAGMENT_KINDS[pair.fragment_kind].is_property else witness


def test_collection_is_large_and_even() -> None:
    """Each verdict and each kind of fragment has enough pairs."""
    verdicts = Counter(pair.verdict for pair in PAIRS)
    locations = Counter(pair.fragment_kind for pair in PAIRS)
    versions = Counter(version[:3] for pair in PAIRS for version in set(pair.versions))
    assert len(PAIRS) >= 220
    assert {verdict: verdicts[verdict] for verdict in VERDICTS if verdicts[verdict] < 25} == {}
    assert {location: locations[location] for location in FRAGMENT_KINDS if locations[location] < 2} == {}
    assert min(versions["3.0"], versions["3.1"]) >= 100


def test_every_pair_has_its_own_name_and_reason() -> None:
    """Ids are unique, and reasons are one or two sentences."""
    assert [id_ for id_, times in Counter(pair.id for pair in PAIRS).items() if times > 1] == []
    assert [pair.id for pair in PAIRS if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", pair.id)] == []
    assert [pair.id for pair in PAIRS if not re.fullmatch(r"[A-Z0-9`/-].{15,240}\.", pair.why)] == []


def test_no_pair_is_there_twice() -> None:
    """No two pairs have the same two documents."""
    known: dict[str, str] = {}
    others = {pair.id: known.setdefault(f"{pair.base}\n{pair.revision}", pair.id) for pair in PAIRS}
    assert {id_: other for id_, other in others.items() if id_ != other} == {}


@pytest.mark.parametrize("area", AREAS)
def test_documents_are_well_formed(area: str) -> None:
    """A pair is assessed by its change, not by mistakes: OpenAPI's own schema accepts its documents."""
    found = {pair.id: [*find_problems(pair.base), *find_problems(pair.revision)] for pair in _list_pairs(area)}
    assert {id_: wrong for id_, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"openapi": "3.1.0", "info": {"title": "T"}, "paths": {}}, "version"),
        ({"components": {"schemas": {"A": {"maxlength": 1}}}}, "maxlength"),
        ({"components": {"schemas": {"A": {"maxLength": -1}}}}, "no schema of 2020-12"),
        ({"components": {"schemas": {"A": {"properties": {"a": {"$ref": "#/components/schemas/B"}}}}}}, "nowhere"),
        ({"paths": {"/a/{id}": {"get": {"responses": {"204": {"description": "D"}}}}}}, "parameters"),
        (
            {"paths": {"/a": {"get": {"security": [{"k": []}], "responses": {"204": {"description": "D"}}}}}},
            "security scheme k",
        ),
        ({"openapi": "3.0.3", "paths": {}, "components": {"schemas": {"A": {"const": 1}}}}, "const"),
        ({"paths": {200: {}}}, "no text"),
    ],
)
def test_malformed_documents_are_found(document: dict[str, object], problem: str) -> None:
    """A document with one mistake is found, which shows that the test above can fail."""
    whole = {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": {}, **document}
    assert problem in "\n".join(find_problems(whole))


@pytest.mark.parametrize(
    ("version", "flow", "schema", "taken", "refused"),
    [
        ("3.0.3", "request", {"type": "string", "nullable": True}, None, 1),
        ("3.0.3", "request", {"type": "string", "nullable": True, "enum": ["a"]}, "a", "b"),
        ("3.0.3", "request", {"minimum": 1, "exclusiveMinimum": True}, 1.5, 1),
        ("3.0.3", "request", {"maximum": 1, "exclusiveMaximum": False}, 1, 1.5),
        ("3.0.3", "request", {"$ref": "#/components/schemas/Text", "maxLength": 1}, "ab", 1),
        ("3.1.0", "request", {"$ref": "#/components/schemas/Text", "maxLength": 1}, "a", "ab"),
        ("3.1.0", "request", {"type": "integer", "format": "int32"}, 2**31 - 1, 2**31),
        ("3.1.0", "request", {"format": "date"}, "2026-11-22", "today"),
        ("3.1.0", "request", {"required": ["a"], "properties": {"a": {"readOnly": True, "type": "string"}}}, {}, None),
        ("3.1.0", "response", {"required": ["a"], "properties": {"a": {"readOnly": True}}}, {"a": 1}, {}),
        ("3.1.0", "response", {"required": ["a"], "properties": {"a": {"writeOnly": True}}}, {}, None),
        ("3.1.0", "request", {"allOf": [{"properties": {"a": {}}}], "properties": {"b": {}}}, {"a": 1, "b": 1}, None),
    ],
)  # fmt: skip
def test_judge_reads_both_versions(version: str, flow: str, schema: JSON, taken: JSON, refused: JSON) -> None:
    """The oracle of the pairs knows the differences between OpenAPI and JSON Schema: it accepts and rejects one value each."""
    oracle = SchemaOracle(schema, {"Text": {"type": "string"}}, version, flow)
    assert oracle.sends(taken)
    assert refused is None or not oracle.accepts(refused)


@pytest.mark.parametrize(
    ("schema", "said", "unsaid"),
    [
        ({"properties": {"a": {}}}, {"a": 1}, {"b": 1}),
        ({"allOf": [{"properties": {"a": {}}}, {"$ref": "#/components/schemas/B"}]}, {"a": 1, "b": 1}, {"c": 1}),
        ({"properties": {"a": {"properties": {"b": {}}}}}, {"a": {"b": 1}}, {"a": {"c": 1}}),
        ({"items": {"properties": {"a": {}}}}, [{"a": 1}], [{"b": 1}]),
        ({"properties": {"a": {}}, "additionalProperties": {"type": "integer"}}, {"b": 1}, {"b": "x"}),
        ({"properties": {"a": {"readOnly": True}}}, {}, {"a": 1}),
    ],
)
def test_nobody_says_what_is_not_declared(schema: JSON, said: JSON, unsaid: JSON) -> None:
    """Nobody sends an undeclared property, so adding one narrows nothing."""
    oracle = SchemaOracle(schema, {"B": {"properties": {"b": {}}}}, "3.1.0", "request")
    assert oracle.sends(said)
    assert not oracle.sends(unsaid)


@pytest.mark.parametrize("area", AREAS)
def test_witnesses_prove_the_verdict(area: str) -> None:
    """Each witness proves the verdict of its pair, in each direction.

    For `breaking` a consumer relied on it, and no longer can; for `compatible` it shows a change that breaks nobody. No other
    verdict has a witness.
    """
    wrong = []
    for pair in _list_pairs(area):
        for value in (_wrap_witness(pair, witness) for witness in pair.witness):
            broken = any(proof.is_broken_by(value) for proof in _make_proofs(pair))
            gained = any(proof.is_gained_by(value) for proof in _make_proofs(pair))
            if not (broken if pair.verdict == "breaking" else gained and not broken and pair.verdict == "compatible"):
                wrong.append((pair.id, value))
    assert wrong == []


@pytest.mark.parametrize("area", AREAS)
def test_every_breaking_schema_has_a_witness(area: str) -> None:
    """Every breaking pair of schemas has a witness."""
    breaking = [pair for pair in _filter_provable(_list_pairs(area)) if pair.verdict == "breaking"]
    assert [pair.id for pair in breaking if not pair.witness] == []


@pytest.mark.parametrize("area", AREAS)
def test_no_value_speaks_against_a_harmless_verdict(area: str) -> None:
    """No value at the boundaries of both schemas contradicts a harmless verdict.

    No value from a sender that knows one side is rejected by the other; for `none`, no value distinguishes them.
    """
    wrong = []
    for pair in _filter_provable(_list_pairs(area)):
        for proof in _make_proofs(pair) if pair.verdict != "breaking" else ():
            tried = proof.list_candidates()
            assert any(proof.sender.accepts(value) for value in tried), f"{pair.id}: nothing was tried"
            wrong += [(pair.id, value) for value in tried if proof.is_broken_in_use_by(value)]
            if pair.verdict == "none":
                wrong += [(pair.id, value) for value in tried if proof.is_broken_by(value) or proof.is_gained_by(value)]
    assert wrong == []


@pytest.mark.parametrize("area", AREAS)
def test_no_proof_speaks_against_the_verdict(area: str) -> None:
    """No proof of containment contradicts a verdict, for all values.

    For `none` neither side accepts more than the other. For `compatible` the reader accepts everything that the sender may
    send. For `breaking` it does not, in at least one direction.
    """
    wrong = []
    for pair in _filter_provable(_list_pairs(area)):
        proofs = _make_proofs(pair)
        remaining = {
            proof.reader.prove_containment(proof.sender, closed=pair.verdict == "compatible") for proof in proofs
        }
        if pair.verdict == "breaking":
            wrong += [pair.id] if remaining == {Containment.YES} else []
        elif pair.verdict == "none":
            remaining |= {proof.sender.prove_containment(proof.reader, closed=False) for proof in proofs}
        if pair.verdict in ("none", "compatible") and Containment.NO in remaining:
            wrong.append(pair.id)
    assert wrong == []


def test_most_harmless_verdicts_are_proven() -> None:
    """At least 95 % of the harmless pairs of schemas are proven to be so."""
    harmless = [pair for pair in _filter_provable(list(PAIRS)) if pair.verdict in ("none", "compatible")]
    proofs = [proof for pair in harmless for proof in _make_proofs(pair)]
    proven = [proof.reader.prove_containment(proof.sender, closed=True) is Containment.YES for proof in proofs]
    assert len(proven) >= 300
    assert sum(proven) / len(proven) >= 0.95


def test_excuses_are_needed() -> None:
    """Only pairs that values cannot decide are exempt.

    No value breaks an exempt pair that is `breaking`, and some value would break an exempt pair that is harmless.
    """
    excused = [pair for pair in PAIRS if pair.unprovable]
    assert excused
    for pair in excused:
        found = [
            value
            for proof in _make_proofs(pair)
            for value in proof.list_candidates()
            if proof.is_broken_in_use_by(value)
        ]
        assert not pair.witness, pair.id
        assert bool(found) is (pair.verdict != "breaking"), pair.id


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[{id: a-b, in: request-body, base: {}, revision: {}, verdict: none}]", "missing"),
        ("[{id: a-b, in: nowhere, base: {}, revision: {}, verdict: none, why: So.}]", "a-b"),
        ("[{id: a-b, in: request-body, base: {}, revision: {}, verdict: fine, why: So.}]", "a-b"),
        ("[{id: a-b, in: request-body, base: {a: 1, a: 2}, revision: {}, verdict: none, why: So.}]", "twice"),
        ("[{id: a-b, in: request-body, base: {enum: [on]}, revision: {}, verdict: none, why: So.}]", "on without"),
        ("[{id: a-b, in: request-body, base: {enum: [2020-01-31]}, revision: {}, verdict: none, why: So.}]", "2020-01-31"),
    ],
)  # fmt: skip
def test_malformed_entries_are_refused(tmp_path: Path, text: str, problem: str) -> None:
    """A malformed entry is refused: without a reason, with an unknown kind, or with values that YAML misreads."""
    (tmp_path / "area.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=problem):
        load_pairs(tmp_path)
