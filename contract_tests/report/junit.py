"""The result of a verification as JUnit XML: a case for each rule and each clause not judged."""

from __future__ import annotations

from xml.etree import ElementTree

from screentest.specs.xml_text import xml_document

from ..rules.judge import RuleVerdict
from ..scenarios.unjudged import Unjudged, unjudged
from ..scenarios.verify import Result
from .text import broken_lines

#: What XML 1.0 cannot hold.


def junit_report(result: Result) -> str:
    """The XML text."""
    counts = result.judge.counts()
    clauses = [(it, "not judged") for it in result.clauses_not_judged]
    clauses += [(it, f"binds the {it.binds}: {it.because}") for it in result.clauses_of_others]
    suite = ElementTree.Element(
        "testsuite",
        name=f"screentest {result.contract.provider}",
        tests=str(len(result.judge.rules) + len(clauses) + bool(result.ending)),
        errors=str(int(bool(result.ending))),
        failures=str(counts[RuleVerdict.BROKEN]),
        skipped=str(counts[RuleVerdict.NOT_JUDGED] + counts[RuleVerdict.DIFFERS] + len(clauses)),
        time=f"{result.seconds:.3f}",
    )
    reasons = {it.rule.id: it for it in unjudged(result)}
    broken = {it.rule.id: it for it in result.judge.broken_rules}
    for rule in result.judge.rules.values():
        name = f"{result.contract.provider}.{rule.family}"
        case = ElementTree.SubElement(suite, "testcase", classname=name, name=rule.id)
        match result.judge.verdict(rule.id):
            case RuleVerdict.BROKEN:
                found = broken[rule.id]
                failure = ElementTree.SubElement(
                    case, "failure", message=found.detail, type=rule.source or rule.id
                )
                failure.text = "\n".join(broken_lines(found))
            case RuleVerdict.NOT_JUDGED:
                message = _reason(reasons[rule.id])
                ElementTree.SubElement(case, "skipped", message=message)
            case RuleVerdict.DIFFERS:
                found_so = result.judge.differs[rule.id].summary
                message = f"differs from the chosen reading: {found_so}"
                ElementTree.SubElement(case, "skipped", message=message)
            case RuleVerdict.KEPT:
                pass
    for clause, why in clauses:
        name = f"{result.contract.provider}.clauses"
        case = ElementTree.SubElement(suite, "testcase", classname=name, name=clause.id)
        ElementTree.SubElement(case, "skipped", message=f"{why} ({clause.says})")
    if result.ending:
        name = f"{result.contract.provider}.run"
        case = ElementTree.SubElement(suite, "testcase", classname=name, name="ended early")
        ElementTree.SubElement(case, "error", message=result.ending)
    root = ElementTree.Element("testsuites")
    root.append(suite)
    return xml_document(root)


def _reason(found: Unjudged) -> str:
    remedy = f" (judged with {found.remedy})" if found.remedy else ""
    return f"not judged: {found.why}{remedy}"
