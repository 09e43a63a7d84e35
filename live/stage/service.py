"""Puts what runs a show by itself into it: decks, set list, lanes, the way back, the evening's log."""
import logging

from live.presets.deck import Deck
from live.presets.trail import Trail
from live.stage.lane_folder import LaneFolder
from live.stage.lanes import LanePlayer
from live.stage.running import Running
from live.stage.stage_log import StageLog
from live.stage.unattended import Unattended


def add_arguments(group):
    """Add the flag of a show without anybody."""
    group.add_argument("--unattended", action="store_true", help="nobody is there: resume, run the set list, begin again whatever ends, ask nothing, "
                       "and write takes/unattended.log")


def prepare(options):
    """Set the other flags as --unattended means them: no browser, and the scene the last show ended with, where there is one."""
    if options.unattended and not getattr(options, "attempt", 0):        # one that is started again has been told how
        options.no_browser = True
        options.resume = options.resume or "if there is one"


def join_stage(show, closing, folder=None, takes="takes", late=lambda: 0, unattended=False):
    """Have them play in a show; closing.callback() ends them. folder: the instrument's, where lanes/ lies. takes: where logs go. late: frames so far."""
    lanes = LanePlayer(show, LaneFolder(folder / "lanes", lambda: show.scene) if folder is not None else None)
    stage_log = StageLog(show, takes, late)
    show.join(deck=Deck(show), running=Running(show), lanes=lanes, trail=Trail(show), stage_log=stage_log)
    closing.callback(lanes.close)
    closing.callback(stage_log.close)
    if unattended:
        nobody = Unattended(show, takes, late)
        show.join(unattended=nobody)
        logging.getLogger().addHandler(nobody)
        closing.callback(nobody.close)
        closing.callback(logging.getLogger().removeHandler, nobody)
