"""XML documents of texts that may hold anything."""

from __future__ import annotations

import re
from xml.etree import ElementTree

#: What XML 1.0 cannot hold.
_FORBIDDEN = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_document(root: ElementTree.Element) -> str:
    """The text of the document *root*, indented, with `?` for each character that XML forbids.

    It indents and cleans *root* itself.
    """
    for element in root.iter():
        element.attrib = {name: _FORBIDDEN.sub("?", it) for name, it in element.attrib.items()}
        element.text = _FORBIDDEN.sub("?", element.text) if element.text else element.text
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, "unicode") + "\n"
