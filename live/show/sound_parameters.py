"""The parameters of what is heard, there whether or not anything is: those the show turns, and those hands turn. Names and ranges only."""
from engine.parameter import Parameter

KINDS = ("kick", "snare", "hat", "onset")
GRID = ("beat", "bar")
FINE, NOTES = 32, 12
TURNED = {
    "/audio/low": Parameter(0.0, about="how loud it is below 120 Hz, beside the last ten seconds"),
    "/audio/mid": Parameter(0.0, about="the same from 1.2 to 4.4 kHz"),
    "/audio/high": Parameter(0.0, about="the same above 6.5 kHz"),
    "/audio/level": Parameter(0.0, about="the same of everything"),
    **{f"/audio/{kind}": Parameter(0.0, about=f"1 at {what}, then it falls over /audio/decay")
       for kind, what in (("kick", "a kick"), ("snare", "a snare"), ("hat", "a hat"), ("onset", "any of the three"))},
    "/audio/brightness": Parameter(0.0, about="where the middle of the sound is, from 100 Hz to 10 kHz by ear"),
    "/audio/loudness": Parameter(-60.0, -60.0, 0.0, unit="dB", about="how loud it is to an ear, over 0.4 s (ITU-R BS.1770)"),
    "/audio/beat": Parameter(0.0, about="how far the heard beat has got, 0 at each one"),
    "/audio/bar": Parameter(0.0, about="how far the bar has got"),
    "/audio/tempo": Parameter(0.0, 0.0, 400.0, unit="bpm", about="the tempo heard, whatever /tempo/source says; 0 = none yet"),
    "/audio/confidence": Parameter(0.0, about="how plain the beat is; from 0.3 on it is followed"),
    "/audio/signal": Parameter(0.0, step=1, about="1 while there was sound in the last two seconds"),
    "/audio/spectrum": Parameter((), size=FINE, about="32 bands from 30 Hz to 16 kHz, evenly spaced by ear"),
    "/audio/chroma": Parameter((), size=NOTES, about="how strong the twelve notes are, from C up"),
}
TURNED_BY_HAND = {
    "/audio/gain": Parameter(1.0, 0.0, 16.0, curve="square", about="times the input; the level only matters to loudness and signal"),
    "/audio/decay": Parameter(0.15, 0.02, 2.0, curve="log", unit="s", about="how long a hit takes to fall"),
    "/audio/sensitivity": Parameter(0.5, about="how small a thing is a hit"),
    **{f"/audio/{kind}/threshold": Parameter(0.08, 0.0, 1.0, curve="square", about=f"a {kind} is at least so strong") for kind in KINDS[:3]},
    "/audio/low-tempo": Parameter(80.0, 40.0, 160.0, unit="bpm", about="tempi are heard between this and twice as much"),
    "/audio/smoothing": Parameter(0.06, 0.0, 2.0, curve="square", unit="s", about="how long the levels take to fall"),
}
PARAMETERS = {**TURNED, **TURNED_BY_HAND}
