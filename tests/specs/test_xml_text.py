"""XML of texts that may hold anything."""

from __future__ import annotations

from xml.etree import ElementTree

from screentest.specs.xml_text import xml_document


def test_what_xml_forbids_becomes_a_question_mark_and_everything_else_stays() -> None:
    root = ElementTree.Element("suite", name="a\x00b\ud800<&")
    ElementTree.SubElement(root, "case").text = "line\nnext\x1b[0m ü \U0001f600"

    read = ElementTree.fromstring(xml_document(root).encode())

    assert read.attrib == {"name": "a?b?<&"}
    assert [it.text for it in read] == ["line\nnext?[0m ü \U0001f600"]
