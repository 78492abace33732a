"""A release as an RO-Crate: its files with size, type, digest and licence, described beside them.

Specification: RO-Crate 1.2, root data entity and file data entities. The context is named, not
copied: the specification wants it so.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["FILE", "as_page", "describe", "pack"]

#: Name of the description within the crate.
FILE = "ro-crate-metadata.json"

_SPECIFICATION = "https://w3id.org/ro/crate/1.2"
_CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
_CONTRIBUTORS = "https://w3id.org/medbench-kg/#contributors"

_ROOT = {
    "@id": "./",
    "@type": "Dataset",
    "name": "medbench-kg: a knowledge graph of medical vision-language benchmarks",
    "alternateName": "medbench-kg：医学视觉语言评测基准知识图谱",
    "description": (
        "The datasets that medical vision-language models are trained on and evaluated with, their "
        "papers, sizes, licences, sources and results, each with its evidence. "
        "医学视觉语言模型的训练与评测数据集及其论文、规模、许可协议、来源和结果，均附出处。"
    ),
    "identifier": "https://w3id.org/medbench-kg/",
    "keywords": ["benchmark", "medical imaging", "vision-language model", "knowledge graph"],
    "inLanguage": ["en", "zh"],
    "isAccessibleForFree": True,
    "isBasedOn": {"@id": "https://w3id.org/medbench-kg/list/med-vlm-bench"},
    "license": {"@id": _CC0},
    "author": {"@id": _CONTRIBUTORS},
    "publisher": {"@id": _CONTRIBUTORS},
}
_CONTEXTUAL = [
    {"@id": _CONTRIBUTORS, "@type": "Organization", "name": "medbench-kg contributors"},
    {
        "@id": _CC0,
        "@type": "CreativeWork",
        "name": "CC0 1.0 Universal",
        "description": "Dedication to the public domain. 贡献至公共领域。",
    },
]


def describe(files: Mapping[str, Mapping[str, str | int]], version: str, date: str) -> bytes:
    """Write the description of a release.

    Args:
        files: file name → ``bytes``, ``sha256`` and ``media_type``.
        version: version of the graph.
        date: day of its last change, ISO 8601.

    Returns:
        JSON-LD in UTF-8, the same for the same release.
    """
    parts = [
        {
            "@id": name,
            "@type": "File",
            "name": name,
            "encodingFormat": about["media_type"],
            "contentSize": str(about["bytes"]),
            "sha256": about["sha256"],
            "license": {"@id": _CC0},
        }
        for name, about in sorted(files.items())
    ]
    root = {
        **_ROOT,
        "version": version,
        "datePublished": date,
        "hasPart": [{"@id": part["@id"]} for part in parts],
    }
    descriptor = {
        "@id": FILE,
        "@type": "CreativeWork",
        "conformsTo": {"@id": _SPECIFICATION},
        "about": {"@id": "./"},
    }
    crate = {
        "@context": f"{_SPECIFICATION}/context",
        "@graph": [descriptor, root, *parts, *_CONTEXTUAL],
    }
    return json.dumps(crate, ensure_ascii=False, indent=1).encode() + b"\n"


def as_page(description: bytes, address: str) -> dict[str, object]:
    """Turn the description of a release into schema.org JSON-LD for a page, context inline.

    Args:
        description: what :func:`describe` wrote.
        address: where the files are served; it ends with a slash.
    """
    nodes = {node["@id"]: node for node in json.loads(description)["@graph"]}
    root = nodes["./"]
    files = [nodes[part["@id"]] for part in root.pop("hasPart")]
    links = {key: {"@type": "@id"} for key in ("contentUrl", "identifier", "license")}
    return {
        "@context": {"@vocab": "https://schema.org/", **links},
        **root,
        "@id": "https://w3id.org/medbench-kg/",
        "license": _CC0,
        "creator": nodes[_CONTRIBUTORS],
        "publisher": nodes[_CONTRIBUTORS],
        "distribution": [
            {
                **file,
                "@id": address + file["@id"],
                "@type": "DataDownload",
                "contentUrl": address + file["@id"],
                "license": _CC0,
            }
            for file in files
        ],
    }


def pack(read: Callable[[str], bytes]) -> bytes:
    """Put a release into a ZIP archive; equal files give equal bytes.

    Args:
        read: gives the content of a file of the release, its description included.
    """
    nodes = json.loads(read(FILE))["@graph"]
    names = [FILE, *(node["@id"] for node in nodes if node["@type"] == "File")]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        for name in names:
            target.writestr(zipfile.ZipInfo(name), read(name), zipfile.ZIP_DEFLATED)
    return archive.getvalue()
