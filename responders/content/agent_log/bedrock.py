"""Amazon Bedrock's model-invocation log onto the contract: each tool that the model asked for is a call.

Read in AWS, Bedrock User Guide, "Monitor model invocation using CloudWatch Logs and Amazon S3"; Bedrock API Reference,
"Converse", "ToolUseBlock", "GuardrailTraceAssessment", "GuardrailContentFilter"; and the test events of Elastic's
integration aws_bedrock. The log says what the model asked for, not whether the agent did it: the outcome is `requested`.
The caller is the role that the agent runs as, without its path: an assumed-role ARN has none.
"""

from __future__ import annotations

import re
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from responders.content.agent_log.record import at, pruned, resource

_ARN = re.compile(r"arn:aws[a-z-]*:(?:sts|iam)::(\d{12}):(assumed-role|role|user)/(?:.*/)?([^/]+?)(?:/[^/]*)?\Z")
_ASSUMED = re.compile(r"arn:aws[a-z-]*:sts::(\d{12}):assumed-role/([^/]+)/(.+)\Z")
INJECTION = "PROMPT_ATTACK"


def records(event: Mapping[str, Any]) -> List[Dict[str, Any]]:
    """One record for each tool use of the answer; where a guardrail saw something and no tool ran, one of `guardrail`."""
    arn = at(event, "identity.arn")
    account, name, kind = _who(arn)
    verdict, types = _guardrail(at(event, "output.outputBodyJson"))
    base: Dict[str, Any] = {
        "time": event.get("timestamp"),
        "id": event.get("requestId"),
        "agent": {"vendor": "aws", "tenant": account or event.get("accountId"), "id": name, "kind": kind},
        "session": {"id": arn},
        "runtime": {"id": "bedrock"},
        "guardrail": {"verdict": verdict, "types": types},
    }
    offered = sorted(set(_offered(at(event, "input.inputBodyJson"))))
    made = []
    for number, (tool, arguments) in enumerate(_uses(at(event, "output.outputBodyJson"))):
        own = f"{event['requestId']}-{number}" if number and event.get("requestId") else event.get("requestId")
        use = {"name": tool, "resource": resource(arguments), "allowed": offered}
        made.append(pruned({**base, "id": own, "action": "tool_call", "tool": use, "outcome": "requested"}))
    if not made and verdict is not None:
        made.append(pruned({**base, "action": "guardrail"}))
    return [record for record in made if at(record, "agent.id")]


def _who(arn: Any) -> Tuple[Optional[str], Optional[str], Optional[str]]:
    text = arn if isinstance(arn, str) else ""
    assumed = _ASSUMED.match(text)
    if assumed:
        return assumed[1], f"role/{assumed[2]}", "role"
    plain = _ARN.match(text)
    if plain and plain[2] == "user":
        return plain[1], f"user/{text.rsplit('/', 1)[1]}", "user"
    return None, None, None


def _blocks(body: Any) -> Iterator[Mapping[str, Any]]:
    """The content blocks of an answer: Converse's, a model's own (Anthropic's), and those of its stream."""
    for holder in body if isinstance(body, list) else [body]:
        for content in (at(holder, "output.message.content"), at(holder, "content"), [at(holder, "content_block")]):
            for block in content if isinstance(content, list) else []:
                if isinstance(block, Mapping):
                    yield block


def _uses(body: Any) -> Iterator[Tuple[str, Any]]:
    for block in _blocks(body):
        use = block.get("toolUse") if isinstance(block.get("toolUse"), Mapping) else None
        if use is None and block.get("type") == "tool_use":
            use = block
        if use is not None and isinstance(use.get("name"), str) and use["name"]:
            yield use["name"], use.get("input")


def _offered(body: Any) -> Iterator[str]:
    """The tools that the request put before the model: all that it may call."""
    for path, own in (("toolConfig.tools", "toolSpec.name"), ("tools", "name")):
        tools = at(body, path)
        for tool in tools if isinstance(tools, list) else []:
            name = at(tool, own)
            if isinstance(name, str):
                yield name


def _guardrail(body: Any) -> Tuple[Optional[str], List[str]]:
    """What the guardrail found of the input: filters of its content policy that acted or detected."""
    found, worst = set(), None
    for holder in body if isinstance(body, list) else [body]:
        for path in ("trace.guardrail.inputAssessment", "amazon-bedrock-trace.guardrail.input"):
            assessments = at(holder, path)
            for assessment in assessments.values() if isinstance(assessments, Mapping) else []:
                filters = at(assessment, "contentPolicy.filters")
                for one in filters if isinstance(filters, list) else []:
                    blocked = at(one, "action") == "BLOCKED"
                    if (blocked or at(one, "detected") is True) and isinstance(at(one, "type"), str):
                        found.add(one["type"])
                        worst = "blocked" if blocked or worst == "blocked" else "detected"
    return worst, sorted(found)
