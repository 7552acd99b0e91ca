"""Ways in which a mock of the Go API can be wrong, and the cases that notice each."""

from support.contract_breaks_gates import GATE_BREAKS
from support.contract_breaks_items import ITEM_BREAKS
from support.contract_breaks_state import STATE_BREAKS

BREAKS = (*GATE_BREAKS, *ITEM_BREAKS, *STATE_BREAKS)
