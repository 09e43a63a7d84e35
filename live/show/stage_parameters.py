"""The parameters of a show that runs itself: the crossfader, the set list, timecode. Names and ranges only."""
from engine.parameter import Parameter

TURNED_BY_HAND = {
    "/deck/on": Parameter(0.0, step=1, about="1: /deck/fade goes between the looks of two decks, and a recall loads the one that is not seen"),
    "/deck/fade": Parameter(0.0, about="the crossfader: 0 = deck a, 1 = deck b, between them a way through both looks"),
    "/set/auto": Parameter(0.0, step=1, about="1: the show of the set list goes on by itself, look by look"),
    "/set/idle": Parameter(0.0, 0.0, 86400.0, curve="square", unit="s",
                           about="no hand for so long, and the set list goes on by itself until one comes; 0 = never"),
}
TURNED = {
    "/timecode": Parameter(0.0, 0.0, 86400.0, unit="s", about="the timecode that is followed, as seconds of the day"),
    "/timecode/signal": Parameter(0.0, step=1, about="1 while timecode comes, and for two seconds after it"),
}
PARAMETERS = {**TURNED, **TURNED_BY_HAND}
MASTERS = ("/deck", "/set", "/timecode")
