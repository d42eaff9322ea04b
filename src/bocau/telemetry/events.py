"""The names of what is logged: one event for each transition, and for each thing an operator is told.

A name is `noun.verb`; the nouns and verbs are those of the house and of core/lifecycle. Rooms log with these and put
everything that varies into fields.
"""

from enum import StrEnum

__all__ = ["LogEvent"]


class LogEvent(StrEnum):
    """Event names, each with its meaning."""

    meaning: str

    def __new__(cls, name: str, meaning: str) -> "LogEvent":
        """A name that knows what it means."""
        event = str.__new__(cls, name)
        event._value_ = name
        event.meaning = meaning
        return event

    REQUEST_REFUSE = "request.refuse", "a request was answered with a code other than 100"
    REQUEST_MALFORMED = "request.malformed", "a body could not be read"
    REQUEST_UNAVAILABLE = "request.unavailable", "a request was turned away because nothing could be committed"
    REQUEST_WARN = "request.warn", "a request was accepted although a part of it is ignored"
    REQUEST_SANDBOX = "request.sandbox", "a sandbox request passed every check"

    MESSAGE_ADMIT = "message.admit", "a message is committed, its request is answered 100"
    MESSAGE_RELEASE = "message.release", "scheduled to queued: SendDate has come"
    MESSAGE_SUBMIT = "message.submit", "queued to sending: the intent is stored, the parts go out"
    MESSAGE_POSTPONE = "message.postpone", "sending to queued: the carrier said not now"
    MESSAGE_FAIL_OVER = (
        "message.fail_over",
        "sending to queued: refused for good with no part taken; another carrier is next",
    )
    MESSAGE_RESEND = (
        "message.resend",
        "to queued: never answered, sent once more by the route's policy: a possible duplicate",
    )
    MESSAGE_TAKE = "message.take", "to sent: the carrier took every part"
    MESSAGE_HOLD = "message.hold", "sending to uncertain: an answer never came, nothing is sent again"
    MESSAGE_DOUBT = (
        "message.doubt",
        "to uncertain: it is not sent any more, and an earlier try that was never answered may have arrived",
    )
    MESSAGE_DELIVER = "message.deliver", "to delivered: every part reached the phone"
    MESSAGE_FAIL = "message.fail", "to failed: a carrier refused a part or could not deliver it"
    MESSAGE_EXPIRE = "message.expire", "to expired: too old to be submitted"
    MESSAGE_LAPSE = "message.lapse", "to expired: it expired at the carrier"
    MESSAGE_CLOSE = "message.close", "to unknown: the deadline passed and nobody said how it ended"
    MESSAGE_REJECT = "message.reject", "to rejected: no route or account takes it any more"
    MESSAGE_CANCEL = "message.cancel", "to cancelled: the customer or an operator took it back"
    MESSAGE_CORRECT = "message.correct", "a final state was corrected to delivered by a late receipt"
    MESSAGE_FAIL_LATE = "message.fail_late", "unknown was corrected to failed by a late receipt"
    MESSAGE_LAPSE_LATE = "message.lapse_late", "unknown was corrected to expired by a late receipt"
    MESSAGE_RESCUE = "message.rescue", "a message that a dead node held was taken over"

    ATTEMPT_TAKE = "attempt.take", "the carrier answered with its id"
    ATTEMPT_REFUSE = "attempt.refuse", "the carrier answered that it did not take the part"
    ATTEMPT_LOSE = "attempt.lose", "no answer came, and the link or the process went away"
    ATTEMPT_DELIVER = "attempt.deliver", "a receipt says delivered"
    ATTEMPT_UNDELIVER = "attempt.undeliver", "a receipt says not delivered"
    ATTEMPT_EXPIRE = "attempt.expire", "a receipt says expired"
    ATTEMPT_GIVE_UP = "attempt.give_up", "the deadline passed, or a receipt says unknown"
    ATTEMPT_ANSWER_LATE = "attempt.answer_late", "an answer came after its time-out and settled the attempt"

    TEMPLATE_ASK = "template.ask", "a customer asked for a template"

    LINK_DIAL = "link.dial", "a connection to a carrier is tried"
    LINK_BIND = "link.bind", "a link to a carrier is bound"
    LINK_REGISTER = "link.register", "a trunk took our registration"
    LINK_MISFIT = "link.misfit", "a trunk refuses calls in a way that only settings can mend; at most once a minute"
    LINK_REFUSE = "link.refuse", "the carrier refused the bind"
    LINK_LOSE = "link.lose", "a link went away or fell silent"
    LINK_THROTTLE = "link.throttle", "the carrier asked for less speed"
    LINK_DRAIN = "link.drain", "no new submits; the window is waited for"
    LINK_CLOSE = "link.close", "a link was closed by us, after unbind"
    LINK_STRAY = "link.stray", "a PDU that fits nothing we wait for was ignored"

    LOOKUP_REST = "lookup.rest", "the lookup service fails; messages are routed by their prefix for a while"

    CARRIER_OPEN = (
        "carrier.open",
        "breaker open: a carrier gets no messages; those that waited for it moved as far as they could",
    )
    CARRIER_PROBE = "carrier.probe", "breaker half-open: a carrier gets a few messages to show itself"
    CARRIER_CLOSE = "carrier.close", "breaker closed: a carrier gets everything again"
    CARRIER_HALT = "carrier.halt", "an operator paused or drained a carrier, or let it go on"
    CARRIER_REPLACE = "carrier.replace", "a carrier whose settings changed was drained and built anew"

    RECEIPT_ORPHAN = "receipt.orphan", "a receipt matches no attempt yet; it is kept"
    RECEIPT_LEARN = "receipt.learn", "matches have shown how a carrier writes the ids of its receipts"
    RECEIPT_REMATCH = "receipt.rematch", "a kept receipt found its attempt"
    RECEIPT_REPEAT = "receipt.repeat", "a receipt that changes nothing came again"
    RECEIPT_UNREADABLE = "receipt.unreadable", "a deliver_sm is no receipt that we can read; it is kept"

    CALLBACK_TELL = "callback.tell", "the customer answered 2xx"
    CALLBACK_POSTPONE = "callback.postpone", "a try failed; the next one is dated"
    CALLBACK_GIVE_UP = "callback.give_up", "the last try failed, or the customer answered 410; the callback is kept"
    CALLBACK_BLOCK = "callback.block", "the address is on the deny table"

    WORKER_START = "worker.start", "a process that places calls has begun"
    WORKER_DIE = "worker.die", "a process that places calls ended unasked; another one is started"
    VOICE_WARN = "voice.warn", "the voice that speaks codes is no person's"
    VOICE_JUMP = "voice.jump", "an account's calls are unlike those before: far fewer answered, or most to one range"

    STORE_OPEN = "store.open", "the store is open and was checked"
    STORE_MIGRATE = "store.migrate", "the schema was brought up to date"
    STORE_FAIL = "store.fail", "a commit failed"
    STORE_FILL = "store.fill", "the disk is nearly full; new sends are refused"
    STORE_ROOM = "store.room", "there is room on the disk again; new sends are taken"
    STORE_QUARANTINE = "store.quarantine", "the store was copied or restored: nothing is sent until an operator says so"
    STORE_FORGET = "store.forget", "texts, numbers or messages were kept long enough, and are forgotten"
    STORE_RELEASE = "store.release", "an operator ended the quarantine; messages go again"

    GATEWAY_START = "gateway.start", "the process begins"
    GATEWAY_READY = "gateway.ready", "the listeners are open"
    GATEWAY_STOP = "gateway.stop", "a stop was asked for; the window is drained"
    GATEWAY_END = "gateway.end", "the process ends"
    SETTINGS_RELOAD = "settings.reload", "new settings are in force"
    SETTINGS_REFUSE = "settings.refuse", "new settings were refused, the old ones stay"
    SETTINGS_WARN = "settings.warn", "a setting is allowed but doubtful"
    DIRECTORY_RELOAD = "directory.reload", "accounts, brandnames, templates or prices changed"
    CLOCK_STEP = "clock.step", "the wall clock jumped; scheduled releases wait"
    OPERATOR_ACT = "operator.act", "an operator did something; the audit has the whole of it"

    CONSOLE_REFUSE = "console.refuse", "a log-in to the console failed"

    DEVELOP_READY = "develop.ready", "bocau dev without a terminal: where everything listens"
    DEVELOP_STEP = "develop.step", "bocau dev without a terminal: a step in the life of its first message"

    FAULT = "gateway.fault", "our own breakage: an exception that nobody expected"
    LIBRARY = "library.say", "a library logged something"
    UNLISTED = "gateway.unlisted", "an event whose name is no name was logged; its text is dropped"
