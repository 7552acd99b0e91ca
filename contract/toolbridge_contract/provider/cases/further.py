"""Section 22: observations from generated request sequences."""

from toolbridge_contract.provider.cases import further_gates, further_items, further_requests

CASES = (*further_gates.CASES, *further_items.CASES, *further_requests.CASES)
