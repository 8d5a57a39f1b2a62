"""Application permissions of Microsoft Graph, assigned to the responder's service principal.

The ids of the permissions are looked up in the tenant itself, by name: they stand in the service principal of Graph, whose
appId 00000003-0000-0000-c000-000000000000 is the same everywhere. Source: Microsoft Graph, "Grant an appRoleAssignment to
a service principal"; az and PowerShell were not run against a real tenant.
"""

from __future__ import annotations

from typing import List, Mapping, Sequence

from responders.settings import Connection

_GRAPH = "00000003-0000-0000-c000-000000000000"
_DISABLES = ("entra.disable_user", "entra.remove_auth_method", "entra.revoke_sign_in_sessions")
_ROLE = "Privileged Authentication Administrator"


def configuration(needs: Mapping[str, Sequence[str]], connection: Connection) -> str:
    """The same grants twice: for az in a shell, and for PowerShell."""
    client = str(connection.plain.get("client_id") or "CLIENT-ID-OF-THE-RESPONDER")
    names = sorted({name for permissions in needs.values() for name in permissions})
    lines: List[str] = [
        f"# Entra {connection.tenant}: application permissions of the responder. Paste ONE of A and B, as somebody who",
        "# may consent for the tenant (Privileged Role Administrator).",
        *(f"#   {name}: {', '.join(sorted(who for who, found in needs.items() if name in found))}" for name in names),
        "",
        "# A: Azure CLI in bash",
        f"az login --tenant '{connection.tenant}' --allow-no-subscriptions",
        f"app=$(az ad sp show --id '{client}' --query id -o tsv)",
        f"graph=$(az ad sp show --id {_GRAPH} --query id -o tsv)",
        f"for name in {' '.join(names)}; do",
        f"  role=$(az ad sp show --id {_GRAPH} --query \"appRoles[?value=='$name'].id | [0]\" -o tsv)",
        '  az rest --method POST --uri "https://graph.microsoft.com/v1.0/servicePrincipals/$app/appRoleAssignments" \\',
        '    --body "{\\"principalId\\": \\"$app\\", \\"resourceId\\": \\"$graph\\", \\"appRoleId\\": \\"$role\\"}"',
        "done",
        "",
        "# B: PowerShell with the Microsoft Graph modules",
        f"Connect-MgGraph -TenantId '{connection.tenant}' -Scopes AppRoleAssignment.ReadWrite.All,Application.Read.All",
        f"$app = Get-MgServicePrincipal -Filter \"appId eq '{client}'\"",
        f"$graph = Get-MgServicePrincipal -Filter \"appId eq '{_GRAPH}'\"",
        f"foreach ($name in {', '.join(repr(name) for name in names)}) {{",
        "  $role = $graph.AppRoles | Where-Object { $_.Value -eq $name -and $_.AllowedMemberTypes -contains 'Application' }",
        "  New-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $app.Id -PrincipalId $app.Id `",
        "    -ResourceId $graph.Id -AppRoleId $role.Id",
        "}",
    ]
    if any(name in _DISABLES for name in needs):
        lines += [
            "",
            f"# For administrators Entra also wants a directory role. Give {_ROLE}",
            "# only to the application of the `privileged` credential, never to the ordinary one.",
        ]
    return "\n".join(lines) + "\n"
