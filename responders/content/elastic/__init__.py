"""Elastic: the detections' ES|QL, run in a real Elasticsearch, and the rules that Kibana imports."""

from responders.content.elastic.runner import Batch, ElasticRun, run_elastic
from responders.content.elastic.trial import try_elastic

__all__ = ["Batch", "ElasticRun", "run_elastic", "try_elastic"]
