"""Say what this machine has for a show, what is wrong, and the command that mends it.

    python run_live.py doctor
    python run_live.py doctor --json > report.json        for a bug report
"""
import json
import sys
from dataclasses import asdict

from live.instrument import folder as instruments

MARKS = {"good": "ok", "wrong": "WRONG", "missing": "-"}


def arguments(parser):
    parser.add_argument("--json", action="store_true", help="print everything as JSON, for a bug report")


def run(options):
    from live.doctor.diagnosis import WRONG, diagnose
    from live.doctor.machine import read_machine

    machine = read_machine(instruments.ROOT)
    findings = diagnose(machine)
    if options.json:
        sys.stdout.write(json.dumps({"machine": asdict(machine), "findings": [asdict(finding) for finding in findings]}, indent=1) + "\n")
    else:
        for finding in findings:
            sys.stdout.write(f"{MARKS[finding.state]:<6}{finding.part:<10}{finding.text}\n")
            if finding.mend:
                sys.stdout.write(f"{'':<16}{'mend it' if finding.state == WRONG else 'to have it'}: {finding.mend}\n")
    wrong = sum(finding.state == WRONG for finding in findings)
    if not options.json:
        sys.stdout.write("nothing is wrong\n" if not wrong else f"{wrong} wrong\n")
    return 1 if wrong else 0
