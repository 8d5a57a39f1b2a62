"""A small Kibana: the API that Tourniquet calls, and an emulation of how Kibana runs an ES|QL rule."""
