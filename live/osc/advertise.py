"""Makes a running instrument appear in other programs' lists: zeroconf, _oscjson._tcp and _osc._udp.

On loopback it is told to loopback only. Registering takes seconds, so a thread of its own does it; nobody waits for it.
"""
import asyncio
import concurrent.futures
import logging
import socket
import threading
from typing import Any

from live.show.threads import end_thread, make_thread

log = logging.getLogger(__name__)
LIBRARIES = ("zeroconf",)

LOOK = 0.1                          # seconds between looks whether the show ends, while a service is being listed
CLOSING = 5.0                       # seconds the thread may take to end: on a busy machine importing the library is most of it
SERVICES = ("_oscjson._tcp.local.", "_osc._udp.local.")


class Advertisement:
    """name: as it is listed. host: the address listened on. ports: of OSCQuery and OSC, 0 = not there."""

    def __init__(self, name: str, host: str, ports: tuple[int, int]):
        self.name, self.host, self.ports = name, host, ports
        self._zeroconf: Any = None
        self._closing = threading.Event()
        self._thread = make_thread("zeroconf", self._work)
        self._thread.start()

    def _work(self):
        from zeroconf import Error, InterfaceChoice, ServiceInfo, Zeroconf

        everywhere = self.host in ("", "0.0.0.0", "::")
        if self._closing.is_set():
            return
        try:
            self._zeroconf = Zeroconf(interfaces=InterfaceChoice.Default if everywhere else [self.host])
            addresses = [socket.inet_aton((find_own_address() or "127.0.0.1") if everywhere else self.host)]
            for kind, port in zip(SERVICES, self.ports):
                if port:
                    self._register(ServiceInfo(kind, f"{self.name}.{kind}", port=port, addresses=addresses, properties={"txtvers": "1"}))
        except (OSError, Error) as error:
            log.info("zeroconf: not listed in other programs: %s", error or type(error).__name__)

    def _register(self, service):
        """Have a service listed, unless the show ends meanwhile: asking whether a name is free takes seconds."""
        async def register():
            await (await self._zeroconf.async_register_service(service, allow_name_change=True))

        doing = asyncio.run_coroutine_threadsafe(register(), self._zeroconf.loop)
        while not self._closing.is_set():
            if concurrent.futures.wait([doing], LOOK).done:
                return doing.result()
        doing.cancel()

    def close(self):
        """Take the entries back."""
        from zeroconf import Error

        self._closing.set()
        end_thread(self._thread, CLOSING)
        if self._zeroconf is not None and not self._thread.is_alive():
            try:
                self._zeroconf.close()
            except (OSError, Error) as error:
                log.info("zeroconf: %s", error)


def find_own_address() -> str:
    """Return this machine's address on the network it would reach others by, "" where there is none. Nothing is sent to find it out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        try:
            udp.connect(("192.0.2.1", 9))
            return udp.getsockname()[0]
        except OSError:
            return ""
