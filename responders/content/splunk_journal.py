"""Macros that read the responder's own events for dashboards: containments, their steps, their timeline, detections' runs.

They stand in macros.conf and not in the dashboards, so that they can be tested and used in a search; and in Simple XML a
dollar sign begins a token.
"""

from __future__ import annotations

from typing import Dict

from responders.content.spl import Macro

_TIERS = 'case(tq_tier=="0", "observe", tq_tier=="1", "restrict", tq_tier=="2", "revoke")'
_HOLDS = 'in(tq_status, "confirmed", "already")'

_CONTAINMENTS = f"""
`tourniquet_journal` kind="entry" chain="c-*" entry IN ("plan", "outcome", "escalated", "restoring", "restored", "closed")
| dedup id
| spath path=body.plan.decision.identity.id output=identity
| spath path=body.plan.decision.identity.kind output=identity_kind
| spath path=body.plan.decision.identity.owner output=owner
| spath path=body.plan.decision.tier output=tq_tier
| spath path=body.plan.decision.confidence output=confidence
| spath path=body.plan.steps{{}}.id output=tq_planned
| spath path=body.plan.steps{{}}.account.vendor output=vendor
| spath path=body.plan.unsupported{{}}.vendor output=unsupported
| spath path=body.alert.detection output=detection
| spath path=body.alert.completed_at output=tq_happened
| spath path=body.report.open_items{{}} output=tq_open
| spath path=body.report.title output=title
| spath path=body.report.undo output=undo
| spath path=body.by output=ended_by
| spath path=body.outcomes{{}} output=tq_outcome
| eval tq_outcome=coalesce(tq_outcome, "-")
| mvexpand tq_outcome
| spath input=tq_outcome path=step.id output=step
| spath input=tq_outcome path=status output=tq_status
| spath input=tq_outcome path=at output=tq_at
| eval seq=tonumber(seq), tier={_TIERS}, step=coalesce(step, "-"), tq_holds=if({_HOLDS}, 1, 0),
  tq_held_at=if(tq_holds==1, `tourniquet_epoch(tq_at)`, null()),
  happened=if(entry=="plan", `tourniquet_epoch(tq_happened)`, null()), alerted=if(entry=="plan", _time, null()),
  open_items=if(entry=="escalated", coalesce(mvjoin(tq_open, "~|~"), ""), null()),
  ended=case(in(entry, "restored", "closed", "restoring"), entry, entry=="plan", "open"),
  ended_at=if(in(entry, "restored", "closed"), _time, null())
| sort 0 chain seq
| stats first(identity) as identity first(identity_kind) as identity_kind first(owner) as owner last(tier) as tier
  last(confidence) as confidence values(tq_planned) as tq_planned values(vendor) as vendor
  values(unsupported) as unsupported values(detection) as detection first(happened) as happened first(alerted) as alerted
  last(open_items) as open_items last(title) as title last(undo) as undo last(ended) as ended last(ended_by) as ended_by
  max(ended_at) as ended_at last(tq_holds) as tq_holds min(tq_held_at) as tq_held_at by chain step
| stats first(identity) as identity first(identity_kind) as identity_kind first(owner) as owner last(tier) as tier
  last(confidence) as confidence dc(tq_planned) as steps values(vendor) as vendor values(unsupported) as unsupported
  values(detection) as detection first(happened) as happened first(alerted) as alerted last(open_items) as open_items
  last(title) as title last(undo) as undo last(ended) as ended last(ended_by) as ended_by max(ended_at) as ended_at
  count(eval(step!="-" AND tq_holds==1)) as steps_held max(tq_held_at) as tq_last_held by chain
| where isnotnull(alerted)
| eval contained_at=if(steps_held>=steps, tq_last_held, null()),
  state=case(ended=="restored", "restored", ended=="closed", "closed", ended=="restoring", "being restored",
  isnull(contained_at), "not fully contained", true(), "contained"),
  seconds_to_detect=round(alerted-happened, 3), seconds_to_contain=round(contained_at-happened, 3),
  seconds_of_responder=round(contained_at-alerted, 3),
  open_items=if(open_items=="", null(), split(open_items, "~|~")), _time=alerted
| rename chain as containment"""

_STEPS = f"""
`tourniquet_journal` kind="entry" chain="c-*" entry IN ("outcome", "undone")
| dedup id
| spath path=body.outcomes{{}} output=tq_outcome
| mvexpand tq_outcome
| where isnotnull(tq_outcome)
| spath input=tq_outcome path=step.id output=step
| spath input=tq_outcome path=step.action output=action
| spath input=tq_outcome path=step.phase output=tq_phase
| spath input=tq_outcome path=step.account.vendor output=vendor
| spath input=tq_outcome path=step.account.tenant output=tq_tenant
| spath input=tq_outcome path=step.account.id output=tq_id
| spath input=tq_outcome path=status output=tq_status
| spath input=tq_outcome path=proof output=proof
| spath input=tq_outcome path=at output=tq_at
| spath input=tq_outcome path=residual_until output=residual_until
| eval seq=tonumber(seq), account=vendor.":".tq_tenant.":".tq_id, tq_done=`tourniquet_epoch(tq_at)`,
  phase=case(tq_phase=="1", "block", tq_phase=="2", "cut", tq_phase=="3", "rotate"),
  residual_until=if(residual_until=="null", null(), residual_until),
  status=if(entry=="undone", "undo: ".tq_status, tq_status), tq_held=if(entry=="outcome" AND {_HOLDS}, tq_done, null())
| sort 0 chain seq
| stats last(status) as status last(proof) as proof last(tq_done) as at min(tq_held) as first_held count as tries
  last(residual_until) as residual_until first(action) as action first(phase) as phase first(vendor) as vendor
  first(account) as account by chain step
| rename chain as containment"""

_TIMELINE = """
`tourniquet_journal` kind="entry"
| dedup id
| spath path=body.plan.decision.tier output=tq_tier
| spath path=body.alert.detection output=detection
| spath path=body.report.title output=title
| spath path=body.by output=by
| spath path=body.approved_by output=approved_by
| spath path=body.reason output=reason
| spath path=body.why output=why
| spath path=body.what output=tq_what
| spath path=body.steps{} output=tq_steps
| spath path=body.outcomes{}.step.action output=tq_actions
| spath path=body.outcomes{}.status output=tq_statuses
| eval seq=tonumber(seq), tier=TIERS,
  what=case(entry=="plan", "planned at tier ".tier.", because of ".detection,
  in(entry, "outcome", "undone"), mvjoin(mvzip(tq_actions, tq_statuses, ": "), ", "), entry=="escalated", title,
  in(entry, "restoring", "restored", "closed"),
  "by ".by.if(approved_by!="", ", approved by ".approved_by, "").": ".coalesce(reason, ""),
  in(entry, "put back", "left to a person"), mvcount(tq_steps)." steps",
  in(entry, "click", "waits for a second person", "agreed"),
  "by ".by.coalesce(": ".tq_what, "").coalesce(", ".reason, ""),
  isnotnull(why), why, true(), "")
| sort 0 chain seq
| table _time chain seq entry what mac"""

_RUNS = """
index=_internal sourcetype="scheduler" app="tourniquet" savedsearch_name="Tourniquet - *"
| eval tq_late=tonumber(dispatch_time)-tonumber(scheduled_time), tq_ran=if(status=="success", _time, null())
| stats max(tq_ran) as last_run count(eval(status=="success")) as runs count(eval(status=="skipped")) as skipped
  count(eval(NOT in(status, "success", "skipped", "delegated_remote", "continued"))) as failed sum(result_count) as rows
  perc95(run_time) as seconds_p95 max(tq_late) as started_late by savedsearch_name"""

JOURNAL_MACROS: Dict[str, Macro] = {
    macro.name: macro
    for macro in (
        # Seconds since 1970 of a time as the journal writes it: with or without a fraction, in any zone.
        Macro(
            "tourniquet_epoch(1)",
            '(strptime(substr($when$, 1, 19)." ".replace($when$, "^.*([+-]\\d\\d):(\\d\\d)", "\\1\\2"), '
            '"%Y-%m-%dT%H:%M:%S %z")'
            '+if(match($when$, "^.{19}\\.\\d"), tonumber("0".replace($when$, "^.{19}(\\.\\d+).*", "\\1")), 0))',
            ("when",),
        ),
        Macro("tourniquet_containments", _CONTAINMENTS.strip()),
        Macro("tourniquet_steps", _STEPS.strip()),
        Macro("tourniquet_timeline", _TIMELINE.replace("TIERS", _TIERS).strip()),
        Macro("tourniquet_runs", _RUNS.strip()),
    )
}
