"""What AI agents do, as documents: by the contract of docs/agent_log.md, and Bedrock's own log as its integration has it.

Contract: there is no integration; fields are Tourniquet's, each below `tourniquet.`. A gateway's JSON-RPC is mapped onto it
first, as its shipper must. Bedrock: read in elastic/integrations, packages/aws_bedrock/data_stream/invocation,
fields/fields.yml and ingest_pipeline/default.yml (0105af9). gen_ai.prompt and gen_ai.completion are the request and the
answer as JSON with sorted keys and without escapes, left out above 32,766 characters. `flattened` bodies are not made: no
query can read them.
"""

from __future__ import annotations

from typing import Any, Mapping

from responders.content.agent_log import records
from responders.content.ecs.common import Doc, get

TIMES = ("time", "timestamp")
_LONGEST = 32766
_BEDROCK = (
    ("event.action", "operation"), ("user.id", "identity.arn"), ("gen_ai.user.id", "identity.arn"),
    ("cloud.account.id", "accountId"), ("cloud.region", "region"), ("gen_ai.request.id", "requestId"),
    ("aws_bedrock.invocation.request_id", "requestId"), ("aws_bedrock.invocation.schema_type", "schemaType"),
    ("aws_bedrock.invocation.model_id", "modelId"), ("aws_bedrock.invocation.error_code", "errorCode"),
)  # fmt: skip


def fill(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from a record of the contract, or from what maps onto one; its id."""
    record = next(iter(records(event)), {})
    for name in document.types:
        if name.startswith("tourniquet."):
            document.put(name, get(record, name[len("tourniquet.") :]))
    return str(record.get("id", ""))


def fill_bedrock(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from a model-invocation log record (Bedrock User Guide, "Monitor model invocation"); its requestId."""
    for name, path in _BEDROCK:
        document.put(name, get(event, path))
    for name, path in (("gen_ai.prompt", "input.inputBodyJson"), ("gen_ai.completion", "output.outputBodyJson")):
        document.put(name, as_json(get(event, path)), longest=_LONGEST)
    document.put("gen_ai.compliance.violation_code", sorted(set(_violations(get(event, "output.outputBodyJson")))))
    return str(event.get("requestId", ""))


def as_json(value: Any) -> str:
    """The pipeline's own JSON: keys sorted, texts as they are."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f'"{key}":{as_json(value[key])}' for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(as_json(item) for item in value) + "]"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)


def _violations(body: Any) -> Any:
    """Filters that acted on the input; the pipeline reads them of streams alone."""
    for part in body if isinstance(body, list) else []:
        found = get(part, "amazon-bedrock-trace.guardrail.input")
        if get(part, "amazon-bedrock-guardrailAction") == "INTERVENED" and isinstance(found, Mapping):
            for assessment in found.values():
                filters = get(assessment, "contentPolicy.filters")
                for one in filters if isinstance(filters, list) else []:
                    if isinstance(get(one, "type"), str):
                        yield one["type"]
