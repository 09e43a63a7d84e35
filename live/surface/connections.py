"""The connections of the page's server: how many there may be, how long one may say nothing, and messages of sockets without detours.

Uvicorn's own classes with what a show needs besides. Knows no page and no show.
"""
import logging

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from live.show.clock import now
from live.show.journal import Seldom

LIBRARIES = ("uvicorn",)
log = logging.getLogger(__name__)

MOST = 96                           # at once
SILENT = 15.0                       # seconds in which a connection has to say something
UNREAD = 4                          # messages of a socket that may wait before no more are read from it


class Socket(WebSocketsSansIOProtocol):
    """A WebSocket that reads on while a few messages wait.

    Uvicorn stops and resumes reading for each message: two system calls and as much work as the message itself.
    """

    def send_receive_event_to_app(self):
        """Hand a message on."""
        before, few = self.read_paused, self.queue.qsize() < UNREAD
        self.read_paused = before or few                       # what is paused is not paused again
        super().send_receive_event_to_app()
        self.read_paused = before or not few


def make_limited(refused) -> type:
    """Return the class of a server's connections: too many at once are refused, and so is one that says nothing. refused(): called for each."""
    open_now: set = set()
    crowd = Seldom(log, now)

    class Limited(H11Protocol):
        def connection_made(self, transport):
            super().connection_made(transport)
            open_now.add(self)
            self.watch = None
            if len(open_now) > MOST:
                refused()
                crowd.warn("surface: %d connections at once; more are refused", MOST)
                transport.abort()
            else:
                self.watch = self.loop.call_later(SILENT, self._look, transport)

        def _look(self, transport):
            if self.cycle is None and not transport.is_closing() and transport.get_protocol() is self:
                transport.close()

        def connection_lost(self, exc):
            open_now.discard(self)
            if self.watch is not None:
                self.watch.cancel()
            super().connection_lost(exc)

        def handle_websocket_upgrade(self, event):
            super().handle_websocket_upgrade(event)
            transport, mine = self.transport, self
            protocol = transport.get_protocol()
            lost = protocol.connection_lost

            def also(exc):
                open_now.discard(mine)
                lost(exc)
            setattr(protocol, "connection_lost", also)     # noqa: B010  (a method is no attribute to assign to, says the type checker)

    return Limited
