"""Elastic: the detections' ES|QL, run in a real Elasticsearch, and the rules that Kibana imports."""

from responders.content.elastic.runner import Batch, ElasticRun, run_elastic

__all__ = ["Batch", "ElasticRun", "run_elastic"]
