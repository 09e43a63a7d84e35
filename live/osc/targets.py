"""The listeners that flags name. One whose host is not to be found yet, as its machine is still off, is looked for again and again."""
import logging
import threading

from live.osc.subscriber import connect_udp
from live.show.threads import make_thread

log = logging.getLogger(__name__)

AGAIN = 5.0                         # seconds until a host that was not found is looked for again


class Targets:
    """echo: live.osc.echo.Echo, which tells those that were found. Looking takes seconds at times, so a thread of its own does it."""

    def __init__(self, echo, again: float = AGAIN):
        self.echo, self.again = echo, again
        self.absent: list[tuple] = []                    # (host, port, prefix, form) not found so far
        self._closing = threading.Event()

    def add(self, targets):
        """Send these (host, port, prefix, form) what changes, now or once their hosts are found."""
        for target in targets:
            if error := self._tell(*target):
                log.warning("OSC: no echo to %s:%d: %s; looked for again every %g s", *target[:2], error, self.again)
                self.absent.append(target)
        if self.absent:
            make_thread("echo targets", self._seek).start()

    def _seek(self):
        while self.absent and not self._closing.wait(self.again):
            self.absent = [target for target in self.absent if self._tell(*target)]

    def _tell(self, host, port, prefix, form):
        """Add one target; returns what is wrong with it, or None."""
        try:
            found = connect_udp(host, port, prefix=prefix, form=form, stays=True)
        except OSError as error:
            return error.strerror or error
        if self._closing.is_set():
            found.close()
        else:
            self.echo.join((host, port, prefix, form), found)
        return None

    def close(self):
        """End of the show: nobody is looked for any more."""
        self._closing.set()
