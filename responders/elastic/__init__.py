"""Elastic as customers run it: Kibana's API, what the rules need in Elasticsearch, and what is wrong with either."""
