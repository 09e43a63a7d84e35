"""Tells listeners what changes, over OSC. Reads the newest scene from a thread of its own; the loop knows nothing of it.

A listener is told everything once, then what changes, at most RATE times a second, in bundles an Ethernet frame holds.
"""
import logging
import threading

from engine.modulation import modulate
from live.osc.address import PLAYED
from live.osc.admission import Allowance, is_here
from live.osc.packet import bundle
from live.osc.subscriber import FORMS, Subscriber, connect_udp, matches_prefix, parse_subscription
from live.osc.watched import Watched
from live.osc.write import make_message
from live.show.clock import now
from live.show.journal import Seldom, spell_out
from live.show.threads import end_thread, make_thread

log = logging.getLogger(__name__)

RATE = 60.0                         # times a second, at most
AT_ONCE = 400                       # values told a listener each time, at most: a burst would be lost
MOST = 128                          # listeners
FORGOTTEN = 600.0                   # seconds without a sign from a listener elsewhere, after which it is dropped
HERE = ("127.", "::1", "localhost")
STATUS, ERROR = "/status", "/error"
JUST = 1.0                          # seconds after a message in which what goes wrong at its address is its sender's mistake
LONGEST = 300                       # letters of a mistake that are told
JOINS, PER_SECOND = MOST, 8.0       # listeners that may come at once, and a second: each is told everything
ELSEWHERE = 32                      # listeners of one other machine
CONTROLS = "controls"               # the form of those who are told of their own controls only


class Echo:
    """moment() -> (scene, motion) now. status() -> {address: text}, told to those who hear text. surfaces: live.osc.surfaces.Surfaces."""

    def __init__(self, moment, status=dict, now=now, started=True, surfaces=None):
        self.moment, self.status, self.now, self.surfaces = moment, status, now, surfaces
        self.subscribers: dict = {}                              # (host, port, prefix, form) or any other key -> Subscriber
        self.sources: dict = {}                                  # where listeners' own messages come from -> [Subscriber]
        self.messages = self.datagrams = self.dropped = 0
        self.rebuilt = []                                        # called when there are other parameters than before
        self._lock, self._some, self._closing = threading.Lock(), threading.Event(), threading.Event()
        self._base, self._played, self._texts = Watched(), Watched(), {}
        self._seldom, self._deaf = Seldom(log, now), set()
        self._joins, self.own_port = Allowance(now, float(JOINS), PER_SECOND), 0      # own_port: of this show's OSC
        self._thread = make_thread("echo", self._work, self._closing)
        if started:
            self._thread.start()

    # -- who listens

    def answer_request(self, command, arguments, sender):
        """Answer a listener's /subscribe PORT [PREFIX [FORM]] or /unsubscribe [PORT]. sender: (host, port) it came from."""
        if command == "/unsubscribe":
            port = arguments[0] if arguments else None
            self.leave(lambda key, s: key[0] == sender[0] and port in (None, key[1]))
        elif (wanted := parse_subscription(arguments)) is not None:
            self.subscribe(sender[0], *wanted, source=tuple(sender[:2]))
        else:
            self._seldom.warn("OSC: %s from %s: expected PORT [/PREFIX [%s]], got %s", command, sender[0], "|".join(FORMS), arguments)

    def subscribe(self, host, port, prefix="", form="numbers", source=None, stays=False):
        """Tell a UDP port from now on; asked again, it is renewed."""
        key = host, port, prefix, form
        known = self.subscribers.get(key)
        if known is not None:
            known.heard = self.now()
            if known.source != source:
                with self._lock:
                    known.source = source
                    self._note_sources()
            return
        reason: str | OSError = self._find_refusal(host, port)
        try:
            if not reason:
                self.join(key, connect_udp(host, port, prefix=prefix, form=form, source=source, stays=stays))
        except OSError as error:
            reason = error
        if reason:
            self._seldom.warn("OSC: no echo to %s:%s: %s", host, port, reason)

    def _find_refusal(self, host, port) -> str:
        """Return why a port may not subscribe, "" if it may. Each new listener is sent everything, so their number is limited."""
        here = is_here(host)
        if here and port == self.own_port:
            return "that is this show's own port"
        if not here and sum(key[0] == host for key in list(self.subscribers)) >= ELSEWHERE:
            return f"{ELSEWHERE} ports of that machine are told already"
        if not self._joins.is_left():
            return f"more than {PER_SECOND:g} new listeners a second"
        self._joins.spend(1)
        return ""

    def join(self, key, subscriber: Subscriber):
        """Add a listener, and send it everything first."""
        with self._lock:
            if len(self.subscribers) >= MOST:
                subscriber.close()
                self._seldom.warn("OSC: there are %d listeners already; %s is not told", MOST, subscriber.name)
                return
            subscriber.heard = self.now()
            self.subscribers[key] = subscriber
            self._note_sources()
            self._tell_all(subscriber)
        log.info("OSC: echo to %s", subscriber.name)
        self._some.set()

    def leave(self, gone):
        """Remove the listeners for which gone(key, subscriber) holds."""
        with self._lock:
            for key, subscriber in [item for item in self.subscribers.items() if gone(*item)]:
                del self.subscribers[key]
                subscriber.close()
            self._note_sources()

    def note_said(self, sender, pairs):
        """Note that these (address, value) were sent, as the receiver read them. For senders that listen too, the values are kept."""
        mine, controls = self.sources.get(sender, ()), self.surfaces.show.mapping.surfaces if self.surfaces else ()
        if not mine and not controls:
            return
        moment, pairs = self.now(), tuple(pairs)
        if controls and any(f"osc {address}".casefold() in controls for address, _ in pairs):
            self._play(sender)
        for subscriber in mine:
            subscriber.heard = moment
            for address, value in pairs:
                subscriber.note_said(address, value, moment)

    def tell_mistake(self, address: str, *text):
        """Send /error to a listener that has just sent to this address, where that could not be done."""
        moment = self.now()
        for subscriber in list(self.subscribers.values()):
            if subscriber.source is not None and subscriber.has_sent(address, moment - JUST):
                subscriber.wrong.append(spell_out("".join(map(str, text))[:LONGEST], passed=""))

    def _note_sources(self):
        sources: dict = {}
        for subscriber in self.subscribers.values():
            if subscriber.source is not None:
                sources.setdefault(subscriber.source, []).append(subscriber)
        self.sources = sources

    def _tell_all(self, subscriber):
        subscriber.due = dict.fromkeys(a for a in self.moment()[0].parameters if subscriber.wants(a))
        subscriber.due |= self._select_texts(subscriber, self._texts)
        subscriber.due |= self._select_controls(subscriber, self.surfaces.standing if self.surfaces else ())

    @staticmethod
    def _select_controls(subscriber, addresses) -> dict:
        """Return which of these controls of surfaces a listener is to be sent."""
        if subscriber.form == "text" or subscriber.addresses is not None and subscriber.form != CONTROLS:
            return {}
        return dict.fromkeys(a for a in addresses if matches_prefix(a, subscriber.below))

    def _play(self, sender):
        """Note that a control with feedback was moved by this sender. If nobody on its machine listens, its own port is sent feedback."""
        host, port = sender[:2]
        key = host, CONTROLS
        known = self.subscribers.get(key)
        if known is not None and known.source == (host, port):
            known.heard = self.now()
        elif (host, port) not in self._deaf and not any(s.source and s.source[0] == host or k[0] == host for k, s in self.subscribers.items() if k != key):
            self.leave(lambda other, s: other == key)
            self._deaf.add((host, port))                         # tried once
            try:
                self.join(key, connect_udp(host, port, form=CONTROLS, source=(host, port), addresses=set()))
            except OSError:
                pass

    @staticmethod
    def _select_texts(subscriber, texts) -> dict:
        """Return which of these texts a listener is to be sent."""
        return {} if subscriber.form == "numbers" else dict.fromkeys(a for a in texts if subscriber.wants(a))

    # -- telling them

    def _work(self):
        while not self._closing.is_set():
            if self.subscribers or self.rebuilt:
                self.turn()
                self._closing.wait(1.0 / RATE)
            elif self._some.wait(0.5):
                self._some.clear()

    def turn(self):
        """Send every listener what has changed since the last turn."""
        with self._lock:
            listeners = list(self.subscribers.values())
        scene, motion = self.moment()
        others, changed = self._base.find_changes(scene)
        scenes, changes = {"": scene}, {"": changed}
        if any(s.scale == PLAYED for s in listeners):
            scenes[PLAYED] = modulate(scene, motion)
            changes[PLAYED] = self._played.find_changes(scenes[PLAYED])[1]
        texts = self._find_new_texts()
        controls = self.surfaces.look() if self.surfaces else ()
        for subscriber in listeners if controls else ():
            subscriber.due |= self._select_controls(subscriber, controls)
        if others:
            for call in list(self.rebuilt):
                call()
        moment = self.now()
        shared: dict = {}
        gone = [s for s in listeners if not self._serve(s, scenes, changes, texts, (moment, shared))]
        if gone:
            self.leave(lambda key, s: any(s is other for other in gone))

    def _find_new_texts(self):
        texts = self.status()
        found = [a for a, text in texts.items() if self._texts.get(a) != text]
        self._texts = texts
        return found

    def _serve(self, subscriber, scenes, changes, texts, passed) -> bool:
        """Tell one listener; whether it is still there."""
        moment, shared = passed
        while subscriber.wrong and moment >= subscriber.quiet_until:
            if not self._send(subscriber, [make_message(ERROR, subscriber.wrong.popleft())], moment):
                return False
        scale = PLAYED if subscriber.scale == PLAYED else ""
        new = changes[scale]
        if not subscriber.due and not subscriber.said and subscriber.addresses is None:
            key = subscriber.prefix, subscriber.form             # many hear the same: made once for all
            if key not in shared:
                wanted = [a for a in new if subscriber.wants(a)]
                shared[key] = bundle(self._make_messages(subscriber, scenes[scale], wanted)) if len(wanted) <= AT_ONCE else None
            if shared[key] is not None and (subscriber.form == "numbers" or not texts):
                return self._send(subscriber, shared[key], moment)
        subscriber.due |= dict.fromkeys(a for a in new if subscriber.wants(a))
        subscriber.due |= self._select_texts(subscriber, texts)
        if moment < subscriber.quiet_until:
            return True
        return self._send(subscriber, bundle(self._make_messages(subscriber, scenes[scale], self._take_due(subscriber, scenes[scale], moment))), moment)

    def _take_due(self, subscriber, scene, moment):
        """Return what to send a listener now, of all that is still to be sent."""
        ready: list = []
        for address in list(subscriber.due)[:4 * AT_ONCE]:
            if len(ready) >= AT_ONCE:
                break
            parameter = scene.parameters.get(address)
            spared = parameter is not None and subscriber.said and subscriber.is_own_value(address, parameter, scene[address], moment)
            if parameter is None and subscriber.said and self.surfaces and address in self.surfaces.standing:
                spared = subscriber.has_said(address, self.surfaces.standing[address][0])
            if spared is None:
                continue
            subscriber.due.pop(address, None)
            if not spared:
                ready.append(address)
        return ready

    def _make_messages(self, subscriber, scene, addresses) -> list[bytes]:
        """Return the messages with the values of these addresses now, in the form the listener wants."""
        found = []
        for address in addresses:
            parameter = scene.parameters.get(address)
            if parameter is None:
                if address in self._texts:
                    found.append(make_message(address, self._texts[address]))
                elif self.surfaces and address in self.surfaces.standing:
                    found.append(make_message(address, self.surfaces.standing[address][0]))
                continue
            if (value := subscriber.convert(parameter, scene.values.get(address, parameter.default))) is not None:
                found.append(make_message(subscriber.scale + address, value))
        self.messages += len(found)
        return found

    def _send(self, subscriber, datagrams, moment) -> bool:
        try:
            for datagram in datagrams:
                subscriber.send(datagram)
        except OSError:                                          # nobody there, no network, or a buffer that is full
            if subscriber.note_failure(moment):
                log.warning("OSC: %s is gone; no more echo to it", subscriber.name)
                self.dropped += 1
                return False
            self._tell_all(subscriber)                           # all that was sent since it went is lost
            return True
        self.datagrams += len(datagrams)
        if datagrams:
            subscriber.note_success()
        elsewhere = subscriber.source is not None and not subscriber.name.startswith(HERE)
        if elsewhere and moment - subscriber.heard > FORGOTTEN:
            log.info("OSC: nothing came from %s for %.0f minutes; no more echo to it", subscriber.name, FORGOTTEN / 60)
            return False
        return True

    def report(self) -> dict:
        """Return the figures so far, ready for JSON."""
        return {"listeners": [s.name for s in list(self.subscribers.values())],
                "messages": self.messages, "datagrams": self.datagrams, "dropped": self.dropped}

    def close(self):
        """End of the show."""
        self._closing.set()
        self._some.set()
        if self._thread.is_alive():
            end_thread(self._thread)
        self.leave(lambda key, s: True)
