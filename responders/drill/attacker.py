"""The simulated attacker: keeps using everything it holds. Contained means that its next call fails everywhere."""

from __future__ import annotations

from typing import Callable, Dict, Optional

import requests

from responders.drill.world import Person, World


class Attacker:
    """Holds one person's credentials and uses them over real HTTP, with no help from the simulators' insides."""

    def __init__(self, world: World, person: Person) -> None:
        self.world, self.person = world, person

    def tries(self) -> Dict[str, Callable[[], bool]]:
        """Every way in, by name (`vendor what`); each tells whether it works now."""
        found: Dict[str, Callable[[], bool]] = {}
        if self.person.okta:
            found["okta sign-in"] = self._okta_sign_in
            found["okta session"] = self._okta_session
            found["okta refresh token"] = self._okta_refresh
            found["okta api token"] = self._okta_api_token
        if self.person.entra:
            found["entra sign-in"] = lambda: self._entra_token({"grant_type": "password", **self._login_entra()})
            found["entra refresh token"] = lambda: self._entra_token(
                {"grant_type": "refresh_token", "refresh_token": self.person.held["entra refresh token"]}
            )
            found["entra access token"] = self._entra_access
        if self.person.cyberark:
            found["cyberark sign-in"] = self._cyberark_sign_in
            found["cyberark session"] = self._cyberark_session
            found["cyberark password"] = self._cyberark_password
        if self.person.entity:
            found["vault sign-in"] = self._vault_sign_in
            found["vault token"] = self._vault_token
        return found

    def works(self) -> Dict[str, bool]:
        """Which ways in work now."""
        return {name: call() for name, call in self.tries().items()}

    # -- each way in --------------------------------------------------------------------------------------

    def _send(self, method: str, url: str, **more: object) -> Optional[requests.Response]:
        with requests.Session() as session:
            session.trust_env = False
            try:
                return session.request(method, url, timeout=5, **more)  # type: ignore[arg-type]
            except requests.RequestException:
                return None

    def _ok(self, method: str, url: str, **more: object) -> bool:
        answer = self._send(method, url, **more)
        return answer is not None and answer.status_code < 300

    def _okta_sign_in(self) -> bool:
        body = {"username": f"{self.person.name}@corp.example", "password": self.person.password}
        return self._ok("POST", f"{self.world.okta.url}/api/v1/authn", json=body)

    def _okta_session(self) -> bool:
        cookie = {"Cookie": f"sid={self.person.held['okta session']}"}
        return self._ok("GET", f"{self.world.okta.url}/api/v1/sessions/me", headers=cookie)

    def _okta_refresh(self) -> bool:
        form = {"grant_type": "refresh_token", "refresh_token": self.person.held["okta refresh token"]}
        return self._ok("POST", f"{self.world.okta.url}/oauth2/v1/token", data=form)

    def _okta_api_token(self) -> bool:
        headers = {"Authorization": f"SSWS {self.person.held['okta api token']}"}
        answer = self._send("GET", f"{self.world.okta.url}/api/v1/users/{self.person.okta}", headers=headers)
        # 403: the token is alive and its owner is no administrator; 401: the token is dead.
        return answer is not None and answer.status_code in (200, 403)

    def _login_entra(self) -> Dict[str, str]:
        return {"username": f"{self.person.name}@corp.example", "password": self.person.password}

    def _entra_token(self, form: Dict[str, str]) -> bool:
        account = self.person.account("entra")
        return self._ok("POST", f"{self.world.graph.login}/{account.tenant}/oauth2/v2.0/token", data=form)

    def _entra_access(self) -> bool:
        headers = {"Authorization": f"Bearer {self.person.held['entra access token']}"}
        return self._ok("GET", f"{self.world.graph.url}/me", headers=headers)

    def _cyberark_sign_in(self) -> bool:
        body = {"username": self.person.name, "password": self.person.password, "concurrentSession": True}
        return self._ok("POST", f"{self.world.cyberark.url}/API/auth/cyberark/Logon", json=body)

    def _cyberark_session(self) -> bool:
        return self._ok("GET", f"{self.world.cyberark.url}/psm/{self.person.held['cyberark session']}")

    def checks_out(self) -> str:
        """Log on to CyberArk with the stolen password and take the privileged one out; that password, "" when refused."""
        root = self.world.cyberark.url
        body = {"username": self.person.name, "password": self.person.password, "concurrentSession": True}
        logon = self._send("POST", f"{root}/API/auth/cyberark/Logon", json=body)
        if logon is None or logon.status_code != 200:
            return ""
        url = f"{root}/API/Accounts/{self.person.held['cyberark account']}/Password/Retrieve"
        taken = self._send("POST", url, headers={"Authorization": str(logon.json())}, json={"reason": "drill"})
        return str(taken.json()) if taken is not None and taken.status_code == 200 else ""

    def _cyberark_password(self) -> bool:
        url = f"{self.world.cyberark.url}/target/{self.person.held['cyberark account']}/login"
        return self._ok("POST", url, json={"password": self.person.held["cyberark password"]})

    def _vault_sign_in(self) -> bool:
        url = f"{self.world.vault_url}/v1/auth/userpass/login/{self.person.name}"
        return self._ok("POST", url, json={"password": self.person.password})

    def _vault_token(self) -> bool:
        headers = {"X-Vault-Token": self.person.held["vault token"]}
        return self._ok("GET", f"{self.world.vault_url}/v1/kv/data/payments", headers=headers)
