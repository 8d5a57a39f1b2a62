"""The service, put together, started, and stopped so that nothing is lost: what was begun is ended, what waits stays due."""

from __future__ import annotations

import json
import signal
import sys
import threading
from pathlib import Path
from typing import Any, List, Optional, TextIO, Tuple

from responders.console.routes import console_routes, open_site
from responders.console.site import Site
from responders.containment import due
from responders.containment.responder import Responder
from responders.errors import BadInput, BadInputs, BadSettings, TourniquetError
from responders.inventory.files import read_inventory
from responders.settings import ElasticSettings, Secret, Settings, load_settings
from responders.surfaces.assemble import open_responder, read_catalogue
from responders.surfaces.service.app import App, Route
from responders.surfaces.service.baseline import Learning
from responders.surfaces.service.config import LONGEST_STOP, Config, read_config
from responders.surfaces.service.due_loop import DueLoop
from responders.surfaces.service.http_server import HttpServer
from responders.surfaces.service.inbox import Inbox
from responders.surfaces.service.index import AlertIndex
from responders.surfaces.service.kibana import Kibanas
from responders.surfaces.service.log import Log
from responders.surfaces.service.metrics import Metrics
from responders.surfaces.service.poller import Poller
from responders.surfaces.service.state import State
from responders.surfaces.service.state import routes as state_routes
from responders.surfaces.service.taking import Taking
from responders.surfaces.service.webhook import MOST, Webhook
from responders.surfaces.service.write_back import WriteBack

WEBHOOK = "/webhook/alert"


class Service:
    """One replica. `responder()` is the one in force: a reload replaces it."""

    def __init__(self, path: str, stream: TextIO = sys.stderr) -> None:
        """Raises BadInputs, BadInput, JournalError."""
        self._path = path
        self.settings, self.config = read_all(path)
        self.log = Log(stream, secrets_of(self.settings, self.config))
        self.metrics = Metrics()
        self._responder = open_responder(path, read_inventory=read_inventory)
        self._before: Optional[Responder] = None
        rules = sorted(str(known["id"]) for known in self._responder.catalogue.values())
        self.index = AlertIndex(self.config.elasticsearch, rules)
        self.kibanas = Kibanas(self.config.kibana) if self.config.kibana is not None else None
        self.write_back = WriteBack(self.responder, self.index, self.kibanas, self.log, self.metrics)
        self.inbox = Inbox(self.responder, self.config.workers, self.log, self.metrics, self.write_back.now)
        self.taking = Taking(self.config, self.responder, self.index, self.inbox, self.write_back, self.log, self.metrics)
        self.poller = Poller(self.config, self.responder, self.index, self.taking, self.log, self.metrics)
        self.due_loop = DueLoop(self.responder, self.inbox, self.write_back, self.log, self.metrics)
        self.learning: Optional[Learning] = None
        if self.config.baseline is not None:
            self.learning = Learning(self.config.baseline, self.config.elasticsearch, self.log, self.metrics)
        self.state = State(self.poller, 3 * self.config.every + 30, lambda: self.responder().halted())
        self.metrics.watch_budgets(self.responder)
        self.site: Optional[Site] = None
        if self.config.console is not None:
            self.site = open_site(
                self.config.console, self.config.elasticsearch, self.responder, self.index, self.log,
                stopping=self.state.stopping, taken=self._taken, spaces=self.config.spaces,
            )  # fmt: skip
        self.server = HttpServer(self.config, App(routes(self), self.log, self.config.threads), self.log)

    def responder(self) -> Responder:
        return self._responder

    def start(self) -> None:
        """Raises BadSettings when the address can't be listened on."""
        try:
            host, port = self.server.open()
        except OSError as error:
            raise BadSettings(
                f"can't listen there: {error}", place=f"{self._path}: serve.listen", remedy="name a free address and port"
            ) from None
        for part in (self.write_back, self.inbox, self.due_loop, self.poller, self.server):
            part.start()
        if self.learning is not None:
            self.learning.start()
        self.log.info("serving", address=f"{host}:{port}", replica=self._responder.name, spaces=self.config.spaces)

    def stop(self) -> None:
        """Take no more, end what was begun, and leave the rest due for whoever runs next."""
        self.state.stopping.set()
        self.log.info("stopping")
        self.poller.stop()
        self.due_loop.stop()
        if self.learning is not None:
            self.learning.stop()
        self.server.stop()
        ended = self.inbox.stop(LONGEST_STOP)
        self.due_loop.join(5.0)
        self.poller.join(5.0)
        self.write_back.stop(5.0)
        self.log.info("stopped", handed_over=self._left(), in_time=ended)
        self.index.close()
        if self.site is not None:
            self.site.door.close()
        if self.kibanas is not None:
            self.kibanas.close()
        if ended:
            _sign_out(self._before)
            _sign_out(self._responder)

    def reload(self) -> None:
        """Read inventory, policy, connections and channels anew. What can't be read leaves the old ones in force."""
        try:
            fresh = open_responder(self._path, read_inventory=read_inventory)
        except TourniquetError as error:
            self.log.error("the settings could not be read anew: the old ones stay in force", why=error)
            return
        # What runs with the one before ends with it; the one before that is long out of use.
        _sign_out(self._before)
        self._before, self._responder = self._responder, fresh
        self.due_loop.warm()
        self.log.info("read settings, inventory and policy anew", policy=self._responder.policy.version)

    def _taken(self, chain: str, space: str, name: str) -> None:
        """Somebody acted on an alert in the console: it is marked like any other."""
        self.write_back.add(chain, space, name, with_note=True)

    def _left(self) -> int:
        try:
            return sum(item.what == "alert" for item in due.pending(self._responder.journal))
        except TourniquetError:
            return -1


def routes(service: Service) -> List[Route]:
    """Every route."""
    found = state_routes(service.state, service.metrics, _reveal(service.config.metrics_secret))
    if service.config.secrets:
        webhook = Webhook(service.config, service.index, service.taking, service.log, service.metrics)
        found.append(Route(WEBHOOK, webhook, ("POST",), most_body=MOST + 1))
    if service.site is not None:
        found.extend(console_routes(service.site))
    return found


def serve(path: str) -> int:
    """Run until SIGTERM or SIGINT; SIGHUP reads settings, inventory and policy anew. The exit code."""
    wake = threading.Event()
    asked: List[int] = []

    def heard(number: int, frame: Any) -> None:
        asked.append(number)
        wake.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, heard)
    service = Service(path)
    service.start()
    while True:
        wake.wait()
        wake.clear()
        while asked:
            if asked.pop(0) == signal.SIGHUP:
                service.reload()
                continue
            service.stop()
            return 0


def read_all(path: str) -> Tuple[Settings, Config]:
    """Settings and the service's section, with all that is wrong in both. Raises BadInputs."""
    errors: List[BadInput] = []
    settings, config = None, None
    try:
        settings = load_settings(path)
        given = settings.serve
    except BadInputs as error:
        errors.extend(error.errors)
        given = _section(path)
    try:
        if settings is not None or given is not None:
            known = settings.elasticsearch if settings is not None else ElasticSettings(())  # its errors are said already
            config = read_config(given, path, read_catalogue(), known)
    except BadInputs as error:
        errors.extend(error.errors)
    if settings is None or config is None:
        raise BadInputs(errors)
    return settings, config


def secrets_of(settings: Settings, config: Config) -> List[str]:
    """Every secret that the settings name, so that the log never shows one."""
    found = [settings.journal_key, *config.secrets, config.metrics_secret, config.elasticsearch.api_key]
    found.append(config.kibana.api_key if config.kibana is not None else None)
    found.append(config.baseline.api_key if config.baseline is not None else None)
    for connection in settings.connections:
        for one in filter(None, (connection, connection.privileged)):
            found.extend(one.secrets.values())
    found.extend(value for entry in settings.escalation for value in entry.values() if isinstance(value, Secret))
    return [secret.reveal() for secret in found if secret is not None]


def _section(path: str) -> Any:
    """The section of a file whose other parts are wrong; None when it can't be read at all."""

    try:
        given = json.loads(Path(path).read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return None
    return given.get("serve") if isinstance(given, dict) else None


def _sign_out(responder: Optional[Responder]) -> None:
    close = getattr(responder.clients, "close", None) if responder is not None else None
    if close is not None:
        close()


def _reveal(secret: Any) -> str:
    return secret.reveal() if isinstance(secret, Secret) else ""
