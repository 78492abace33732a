"""New records from documents that others publish, and from what people enter into a form.

``sources`` reads what a document states, ``drafting`` makes records of it. What a document doesn't
state stays absent; whole sentences of others are never taken over. ``entries`` makes a record of
what was entered; ``issues`` writes the forms of the repository, and reads what comes of them.
"""

from __future__ import annotations

from medbench_kg.intake.drafting import KINDS, Draft, Given, draft
from medbench_kg.intake.entries import beside, cited, corrected, draft_of, record_of
from medbench_kg.intake.issues import filled_in, issue_forms, of_issue
from medbench_kg.intake.sources import Told, address_of, read

__all__ = [
    "KINDS",
    "Draft",
    "Given",
    "Told",
    "address_of",
    "beside",
    "cited",
    "corrected",
    "draft",
    "draft_of",
    "filled_in",
    "issue_forms",
    "of_issue",
    "read",
    "record_of",
]
