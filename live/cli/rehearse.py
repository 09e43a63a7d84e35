"""Rehearse a show with the flags it is played with: its looks at eight times their speed, then itself, with all that may go wrong. Says what failed.

    python run_live.py rehearse
    python run_live.py rehearse --output window,ndi=Stage --source video=clip.mp4 --mapping my_set.yaml --report rehearsal.json

Exit status 0: all passed, 1: something failed. Nothing of yours is changed.
"""
import argparse
import contextlib
import json
import pathlib
import sys
import tempfile

from engine.errors import UserError
from engine.files import write_text
from live.cli import play
from live.files.paths import find_path, prepare_file
from live.instrument import open as opening


def arguments(parser):
    play.arguments(parser)
    parser = parser.add_argument_group("the rehearsal, which means some of these otherwise", conflict_handler="resolve")
    parser.add_argument("--output", metavar="LIST", default="null", help="the outputs of the show, as play has them (null); recordings are deleted")
    parser.add_argument("--report", metavar="FILE.json", help="write what passed and what failed there too")
    parser.add_argument("--osc-port", type=int, default=0, metavar="N", help="UDP port of the rehearsed show; default: a free one")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the random hands (1)")
    parser.add_argument("--no-kill", action="store_true", help="kill no process of the show")
    parser.add_argument("--no-show", action="store_true", help="rehearse the looks only, not the show with its outputs, its source and its processes")


def run(options):
    if options.report:
        prepare_file(options.report, "--report")
    options.mapping = [str(find_path(path).absolute()) for path in options.mapping]
    rows: list = []
    opened = opening.open_instrument(options.instrument, options.size, options.device, options.threads, options.encoder, frame=options.frame)
    opened.instrument.warm_up(opened.scene)
    with tempfile.TemporaryDirectory(prefix="rehearsal-", ignore_cleanup_errors=True) as folder:
        _rehearse(options, opened, pathlib.Path(folder).resolve(), rows)
    failed = sum(not row.passed for row in rows)
    sys.stdout.write(f"{len(rows)} rehearsed, {failed} failed\n")
    if options.report:
        write_text(options.report, json.dumps({"failed": failed, "rows": [vars(row) for row in rows]}, indent=1) + "\n")
    return 1 if failed else 0


def _rehearse(options, opened, folder, rows):
    """Do all of it; rows: gets what was tried, each as it is found."""
    from live.stage.rehearsal import Rehearsal

    def tell(row):
        rows.append(row)
        sys.stdout.write(f"{'pass' if row.passed else 'FAIL'}  {row.what:<36}{row.reason}\n")
        sys.stdout.flush()

    Rehearsal(opened, options.seed, options.mapping, folder, tell).run()
    if not options.no_show:
        _rehearse_show(options, opened, folder, tell)


def _rehearse_show(options, opened, folder, tell):
    from live.outputs import service as output_service
    from live.processes.rehearsing import Rehearsed, divert_outputs, link_instrument, look_at_disks
    from live.sources import flags as seeing
    from live.stage.rehearsal import Row

    specs = output_service.read_specs(options)
    written = [pathlib.Path(spec.target).parent for spec in specs if spec.target and "://" not in spec.target]
    for row in look_at_disks([opened.folder.folder, pathlib.Path("takes"), *written]):
        tell(row)
    played = argparse.Namespace(**vars(options) | {
        "instrument": str(link_instrument(opened.folder, folder)), "resume": False, "replay": None, "take": None, "report": None, "frames": None,
        "seconds": None, "unattended": False, "no_browser": True, "surface_port": 0, "no_analysis": True, "record_source": None, "list_parameters": False,
        "source_preview": None, "bends": str(find_path(options.bends).absolute()) if options.bends else None,
        "encoder": str(find_path(options.encoder).absolute()) if options.encoder else None})
    if options.source:
        try:
            seeing.open_source(options.source, opened.instrument).close()
        except UserError as error:
            tell(Row(f"source {options.source}", False, f"{error}"))
            played.source = None
    with contextlib.ExitStack() as closing:
        show = Rehearsed(played, divert_outputs(specs, closing), folder, not options.no_kill, tell)
        show.run(play.play, play.DRAWING)
