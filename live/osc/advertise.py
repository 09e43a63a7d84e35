"""Makes a running instrument appear in other programs' lists: zeroconf, _oscjson._tcp and _osc._udp.

On loopback it is told to loopback only. Registering takes seconds, so a thread of its own does it; nobody waits for it.
"""
import logging
import socket
import threading
from typing import Any

log = logging.getLogger(__name__)
LIBRARIES = ("zeroconf",)

SERVICES = ("_oscjson._tcp.local.", "_osc._udp.local.")


class Advertisement:
    """name: as it is listed. host: the address listened on. ports: of OSCQuery and OSC, 0 = not there."""

    def __init__(self, name: str, host: str, ports: tuple[int, int]):
        self.name, self.host, self.ports = name, host, ports
        self._zeroconf: Any = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="zeroconf", daemon=True)
        self._thread.start()

    def _work(self):
        from zeroconf import Error, InterfaceChoice, ServiceInfo, Zeroconf

        everywhere = self.host in ("", "0.0.0.0", "::")
        try:
            self._zeroconf = listed = Zeroconf(interfaces=InterfaceChoice.Default if everywhere else [self.host])
            addresses = [socket.inet_aton(_find_own_address() if everywhere else self.host)]
            for kind, port in zip(SERVICES, self.ports):
                if port and not self._closing.is_set():
                    listed.register_service(ServiceInfo(kind, f"{self.name}.{kind}", port=port, addresses=addresses,
                                                        properties={"txtvers": "1"}), allow_name_change=True)
        except (OSError, Error) as error:
            log.info("zeroconf: not listed in other programs: %s", error or type(error).__name__)

    def close(self):
        """Take the entries back."""
        from zeroconf import Error

        self._closing.set()
        self._thread.join(timeout=1.0)
        if self._zeroconf is not None and not self._thread.is_alive():
            try:
                self._zeroconf.close()
            except (OSError, Error) as error:
                log.info("zeroconf: %s", error)


def _find_own_address() -> str:
    """This machine's address on the network it would reach others by."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        try:
            udp.connect(("192.0.2.1", 9))                        # sends nothing
            return udp.getsockname()[0]
        except OSError:
            return "127.0.0.1"
