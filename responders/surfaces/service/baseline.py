"""Keeps the lookup of what is usual filled, with a key of its own: the one that contains must not teach what is usual."""

from __future__ import annotations

import threading
from datetime import datetime, timezone

from responders.content.elastic.baseline import learn
from responders.content.elastic.server import Server
from responders.errors import TourniquetError
from responders.settings import ElasticSettings
from responders.surfaces.service.config import Baseline
from responders.surfaces.service.log import Log
from responders.surfaces.service.metrics import Metrics


class Learning:
    """One thread. Several replicas may run it: each goes on where the last one ended."""

    def __init__(self, config: Baseline, elasticsearch: ElasticSettings, log: Log, metrics: Metrics) -> None:
        self._config, self._elasticsearch = config, elasticsearch
        self._log, self._metrics = log, metrics
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="baseline", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.learn()
            except TourniquetError as error:
                self._metrics.errors.labels("baseline").inc()
                self._log.error("what is usual was not learned; the next run catches up", why=error)
            except Exception as error:  # a mistake of ours must not end the learning
                self._metrics.errors.labels("internal").inc()
                self._log.error("internal error while learning", why=f"{type(error).__name__}: {error}")
            self._stopping.wait(self._config.every)

    def learn(self) -> None:
        """Once. Raises BadInputs with every query that was refused."""
        url, ca = self._elasticsearch.urls[0], self._elasticsearch.ca
        with Server(url, key=self._config.api_key, ca=ca) as server:
            for found in learn(server, datetime.now(timezone.utc)):
                self._log.info("learned what is usual", what=found.what, pairs=found.pairs, until=found.until.isoformat())
                if self._stopping.is_set():
                    return
