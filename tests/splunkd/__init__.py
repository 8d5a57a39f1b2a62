"""A fake splunkd: what Tourniquet asks of Splunk's REST interface, answered as Splunk documents it, and nothing more.

`Deployment` is what the search heads of one cluster share; `Splunkd` is one search head's management port:

    with Splunkd(Deployment()) as splunkd:
        key = splunkd.session("admin")
        service = splunklib.client.connect(host=…, token=key, …)

Sources, per endpoint, stand in the modules. A path or an argument that is not known is refused, as Splunk does.
"""

from tests.splunkd.deployment import Deployment, Event, Password, User
from tests.splunkd.server import Splunkd

__all__ = ["Deployment", "Event", "Password", "Splunkd", "User"]
