# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""when - times as people say them

    when, text = parse("to feed the cat every day at 7:30", now, zone)

finds the phrase of time at the front or the end of what was said.  A When knows its first moment
and, where it is repeated, the next one after any other.  Times of day are those on the wall of the
zone, also across a change of the clocks.
"""
import datetime
import re

WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
UNITS = {"s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hour": 3600,
         "d": 86400, "day": 86400, "w": 604800, "week": 604800}
NAMED = {"noon": (12, 0), "midnight": (0, 0), "morning": (9, 0), "evening": (19, 0),
         "tonight": (20, 0)}
MOST_S = 10 * 366 * 86400

_UNIT = r"(?P<unit>s|secs?|seconds?|m|mins?|minutes?|h|hours?|d|days?|w|weeks?)"
_CLOCK = (r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2}))?\s*(?P<half>am|pm)?"
          r"|(?P<named>noon|midnight)")
_DAY = r"(?P<date>\d{4}-\d{2}-\d{2})|(?P<day>today|tomorrow)|(?:on\s+|next\s+)?(?P<weekday>" + \
       "|".join(WEEKDAYS) + ")"
_AT = rf"(?:at\s+)?(?:{_CLOCK})"

# In this order: the first that fits at an end of the text is it.
PHRASES = [re.compile(p, re.IGNORECASE) for p in (
    rf"every\s+(?:(?P<count>\d+)\s*)?{_UNIT}(?:\s+at\s+(?:{_CLOCK}))?",
    rf"every\s+(?P<days>weekday|{'|'.join(WEEKDAYS)})(?:\s+at\s+(?:{_CLOCK}))?",
    rf"in\s+(?P<count>\d+|an?)\s*{_UNIT}",
    rf"{_AT}\s+(?:on\s+)?(?:{_DAY})",
    rf"(?:on\s+)?(?:{_DAY})(?:\s+{_AT})?",
    rf"at\s+(?:{_CLOCK})",
    r"(?P<named>tonight)",
)]


class Unclear(Exception):
    """Said to the person as it is."""


class When:
    """A moment (first, in seconds since 1970), and a rule where it is repeated."""

    def __init__(self, first, rule=None):
        self.first, self.rule = first, rule

    def next(self, after, zone):
        return _next(self.rule, self.first, after, zone) if self.rule else None


def needs_zone(text):
    """Whether the time in text is one on somebody's wall."""
    found = _find(text)
    if found is None:
        return True
    said = found[0].groupdict()
    return not said.get("unit") or (found[0].group(0).lower().split()[0] == "every" and
                                    _span(said) % 86400 == 0)


def _find(text):
    for phrase in PHRASES:
        for at_end in (True, False):
            pattern = rf"(?:^|\s)(?:{phrase.pattern})\s*[.!]?$" if at_end else \
                rf"^(?:{phrase.pattern})(?:\s*,?\s+|$)"
            found = re.search(pattern, text, re.IGNORECASE)
            if found:
                rest = text[:found.start()] if at_end else text[found.end():]
                return found, rest
    return None


def parse(text, now, zone):
    found = _find(text)
    if found is None:
        raise Unclear("When? For instance: remind me to call Bob tomorrow at 9:30.")
    match, rest = found
    rest = re.sub(r"^(?:to|that|about)\s+", "", rest.strip(), flags=re.IGNORECASE).strip()
    if not rest:
        raise Unclear("Of what? For instance: remind me to call Bob tomorrow at 9:30.")
    return _when(match.groupdict(), match.group(0).lower().split()[0], now, zone), rest


def _time_of_day(said, default):
    if said.get("named"):
        return NAMED[said["named"].lower()]
    if said.get("hour") is None:
        return default
    hour, minute = int(said["hour"]), int(said["minute"] or 0)
    half = (said["half"] or "").lower()
    if minute > 59 or hour > (12 if half else 24) or (half and hour == 0):
        raise Unclear("That is no time of the day.")
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    return hour % 24, minute


def _at(day, clock, zone):
    moment = datetime.datetime.combine(day, datetime.time(*clock), tzinfo=zone)
    return int(moment.timestamp())


def _span(said):
    count = said.get("count") or "1"
    unit = said["unit"].lower()
    seconds = (1 if count.lower() in ("a", "an") else int(count)) * \
        UNITS[unit if unit in UNITS else unit[:-1]]
    if not 0 < seconds <= MOST_S:
        raise Unclear("That is too far away.")
    return seconds


def _when(said, word, now, zone):
    if word == "every":
        return _repeated(said, now, zone)
    if word == "in":
        return When(int(now) + _span(said))
    today = datetime.datetime.fromtimestamp(now, zone).date()
    if said.get("date"):
        try:
            day = datetime.date.fromisoformat(said["date"])
        except ValueError as error:
            raise Unclear("There is no such day.") from error
        first = _at(day, _time_of_day(said, (9, 0)), zone)
        if first <= now:
            raise Unclear("That was already.")
        return When(first)
    if said.get("weekday"):
        ahead = (WEEKDAYS.index(said["weekday"].lower()) - today.weekday()) % 7
        clock = _time_of_day(said, (9, 0))
        first = _at(today + datetime.timedelta(ahead), clock, zone)
        return When(first if first > now else _at(today + datetime.timedelta(ahead + 7), clock, zone))
    if said.get("day"):
        ahead = said["day"].lower() == "tomorrow"
        first = _at(today + datetime.timedelta(ahead), _time_of_day(said, (9, 0)), zone)
        if first <= now:
            raise Unclear("That was already.")
        return When(first)
    clock = _time_of_day(said, (9, 0))
    first = _at(today, clock, zone)
    return When(first if first > now else _at(today + datetime.timedelta(1), clock, zone))


def _repeated(said, now, zone):
    """A rule is "S seconds" or "D days HH:MM" or "DAYS HH:MM", DAYS of 0 to 6."""
    if said.get("days"):
        word = said["days"].lower()
        days = "01234" if word == "weekday" else str(WEEKDAYS.index(word))
        rule = "on {} {:02}:{:02}".format(days, *_time_of_day(said, (9, 0)))
    else:
        seconds = _span(said)
        has_clock = said.get("hour") is not None or said.get("named")
        if seconds % 86400 == 0:
            local = datetime.datetime.fromtimestamp(now, zone)
            rule = "days {} {:02}:{:02}".format(
                seconds // 86400, *_time_of_day(said, (local.hour, local.minute)))
        elif has_clock:
            raise Unclear("Every so many hours, or at a time of the day?")
        elif seconds < 60:
            raise Unclear("Not more often than every minute.")
        else:
            rule = f"seconds {seconds}"
    return When(_next(rule, None, now, zone), rule)


def _next(rule, first, after, zone):
    kind, what, *clock = rule.split()
    if kind == "seconds":
        step = int(what)
        if first is None:
            return int(after) + step
        return first + (int(after - first) // step + 1) * step if after >= first else first
    clock = tuple(int(part) for part in clock[0].split(":"))
    day = datetime.datetime.fromtimestamp(after, zone).date()
    if kind == "on":
        days = [day + datetime.timedelta(n) for n in range(8)]
        return next(t for t in (_at(d, clock, zone) for d in days if str(d.weekday()) in what)
                    if t > after)
    step = datetime.timedelta(int(what))
    if first is not None:
        start = datetime.datetime.fromtimestamp(first, zone).date()
        day = start + step * max(0, (day - start) // step)
    while _at(day, clock, zone) <= after:
        day += step if first is not None else datetime.timedelta(1)
    return _at(day, clock, zone)
