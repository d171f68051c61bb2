"""Names of the compiled engine: kinds of rows, moments and items as plain numbers, and the rows of its tallies.

numba takes a hundred times as long over a member of an enumeration as over a number.
"""

from __future__ import annotations

from typing import Final

from sim.instant import Moment
from sim.log import Kind

# ---- why a run stopped ----------------------------------------------------------------------------------------------
DONE: Final = 0
ROOM_FOR_ARRIVALS: Final = 1
ROOM: Final = 2
AGAIN: Final = 3  # lanes do not do for this replication

# ---- moments: kinds of events in the order of one instant -----------------------------------------------------------
AT_END: Final = int(Moment.END)
AT_WAKE: Final = int(Moment.WAKE)
AT_LEAVE: Final = int(Moment.LEAVE)
AT_JOIN: Final = int(Moment.JOIN)
AT_READY: Final = int(Moment.READY)
AT_REVIEW: Final = int(Moment.REVIEW)
AT_CREATE: Final = int(Moment.CREATE)
AT_ARRIVE: Final = int(Moment.ARRIVE)
AT_PATIENCE: Final = int(Moment.PATIENCE)
AT_RETURN: Final = int(Moment.RETURN_TO_POOL)

# ---- what an event is about; of two events that are alike in all else, the lower comes first ------------------------
OF_SUPPORT: Final = 0
OF_ITEM: Final = 1
OF_REP: Final = 2
OF_DESK: Final = 3
OF_CUSTOMER: Final = 4  # the review of a customer
OF_ORDER: Final = 5
OF_CARE: Final = 6
OF_CHURN: Final = 7
OF_CHANGE: Final = 8  # a change of owner that the plan asks for
OF_BLOCK: Final = 9  # a block of preparing a tender
OF_TENDER: Final = 10
OF_OPENING: Final = 11
OF_NOTICE: Final = 12  # a rep who gave notice has finished the running task

# ---- what an item is ------------------------------------------------------------------------------------------------
FREE: Final = 0
LEAD: Final = 1
ORDER: Final = 2
CARE: Final = 3
BLOCK: Final = 4

# ---- kinds of rows --------------------------------------------------------------------------------------------------
ROW_END: Final = int(Kind.END)
ROW_LEAVE: Final = int(Kind.LEAVE)
ROW_JOIN: Final = int(Kind.JOIN)
ROW_ASSIGN: Final = int(Kind.ASSIGN)
ROW_YES: Final = int(Kind.ANSWER_YES)
ROW_NO: Final = int(Kind.ANSWER_NO)
ROW_WON: Final = int(Kind.WON)
ROW_ORDER: Final = int(Kind.ORDER)
ROW_CARE: Final = int(Kind.CARE)
ROW_CHURN: Final = int(Kind.CHURN)
ROW_ARRIVE: Final = int(Kind.ARRIVE)
ROW_OPEN: Final = int(Kind.OPEN)
ROW_ENTER: Final = int(Kind.ENTER)
ROW_COLD: Final = int(Kind.COLD)
ROW_RETURN: Final = int(Kind.RETURN)
ROW_REST: Final = int(Kind.REST)
ROW_BOOK: Final = int(Kind.BOOK)
ROW_LINE: Final = int(Kind.LINE)
ROW_RECOGNISE: Final = int(Kind.RECOGNISE)
ROW_DUE: Final = int(Kind.DUE)
ROW_CASH: Final = int(Kind.CASH)
ROW_WRITE_OFF: Final = int(Kind.WRITE_OFF)
ROW_START: Final = int(Kind.START)
ROW_CREDIT: Final = int(Kind.CREDIT)
ROW_TENDER: Final = int(Kind.TENDER)
ROW_MISSED: Final = int(Kind.MISSED)

# ---- routing policies and queue disciplines -------------------------------------------------------------------------
POLICIES: Final = ("even", "round_robin", "least_loaded", "skill_based", "territory", "owner", "pool")
EVEN, ROUND_ROBIN, LEAST_LOADED, SKILL_BASED, TERRITORY, OWNER, POOL = range(7)
QUEUES: Final = ("fifo", "late_stage_first", "value_first", "tier_first")
FIFO, LATE_STAGE_FIRST, VALUE_FIRST, TIER_FIRST = range(4)

# ---- tallies: sums by thing and reporting period; the names are those of the outcome's tables -----------------------
REP_TALLIES: Final = (
    "revenue",
    "new_revenue",
    "account_revenue",
    "key_product_revenue",
    "gross_margin",
    "recognised",
    "cash_collected",
    "cash_due",
    "written_off",
    "orders",
    "repeat_orders",
    "new_customers",
    "cycle_ticks",
    "leads",
    "lost",
    "cold",
    "busy_ticks",
    "available_ticks",
    "care_ticks",
    "order_ticks",
    "tender_revenue",
    "tenders_won",
    "churned",
    "handover_loss",
    "started",
    "wait_ticks",
)
(
    REVENUE,
    NEW_REVENUE,
    ACCOUNT_REVENUE,
    KEY_REVENUE,
    MARGIN,
    RECOGNISED,
    COLLECTED,
    DUE,
    WRITTEN_OFF,
    ORDERS,
    REPEAT_ORDERS,
    NEW_CUSTOMERS,
    CYCLE,
    LEADS,
    LOST,
    WENT_COLD,
    BUSY,
    AVAILABLE,
    CARE_WORK,
    ORDER_WORK,
    TENDER_REVENUE,
    TENDERS_WON,
    CHURNED,
    HANDOVER_LOSS,
    STARTED,
    WAITED,
) = range(len(REP_TALLIES))
STAGE_TALLIES: Final = (
    "entered",
    "started",
    "advanced",
    "lost",
    "cold",
    "wait_ticks",
    "busy_ticks",
    "delay_ticks",
    "lost_value",
)
(
    STAGE_ENTERED,
    STAGE_STARTED,
    STAGE_ADVANCED,
    STAGE_LOST,
    STAGE_COLD,
    STAGE_WAITED,
    STAGE_BUSY,
    STAGE_DELAY,
    STAGE_LOST_VALUE,
) = range(len(STAGE_TALLIES))
SOURCE_TALLIES: Final = (
    "leads",
    "won",
    "lost",
    "cold",
    "opened",
    "revenue",
    "key_product_revenue",
    "cash_collected",
    "cash_due",
    "cycle_ticks",
)
(
    SOURCE_LEADS,
    SOURCE_WON,
    SOURCE_LOST,
    SOURCE_COLD,
    SOURCE_OPENED,
    SOURCE_REVENUE,
    SOURCE_KEY_REVENUE,
    SOURCE_COLLECTED,
    SOURCE_DUE,
    SOURCE_CYCLE,
) = range(len(SOURCE_TALLIES))
PRODUCT_TALLIES: Final = ("orders", "revenue", "gross_margin", "attached")
PRODUCT_ORDERS, PRODUCT_REVENUE, PRODUCT_MARGIN, PRODUCT_ATTACHED = range(len(PRODUCT_TALLIES))
SEGMENT_TALLIES: Final = (
    "orders",
    "revenue",
    "leads",
    "won",
    "lost",
    "cold",
    "new_customers",
    "repeat_orders",
    "key_product_revenue",
    "cash_collected",
    "cash_due",
    "cycle_ticks",
)
(
    SEGMENT_ORDERS,
    SEGMENT_REVENUE,
    SEGMENT_LEADS,
    SEGMENT_WON,
    SEGMENT_LOST,
    SEGMENT_COLD,
    SEGMENT_NEW,
    SEGMENT_REPEAT,
    SEGMENT_KEY_REVENUE,
    SEGMENT_COLLECTED,
    SEGMENT_DUE,
    SEGMENT_CYCLE,
) = range(len(SEGMENT_TALLIES))
ACCOUNT_TALLIES: Final = (
    "orders",
    "revenue",
    "care_ticks",
    "care_planned_ticks",
    "handovers",
    "handover_loss",
    "churned",
)
(
    ACCOUNT_ORDERS,
    ACCOUNT_SALES,
    ACCOUNT_CARE,
    ACCOUNT_CARE_PLANNED,
    ACCOUNT_HANDOVERS,
    ACCOUNT_LOSS,
    ACCOUNT_CHURNED,
) = range(len(ACCOUNT_TALLIES))
COMPANY_TALLIES: Final = ("orders", "repeat_customers", "buying_customers", "churned", "new_customers")
COMPANY_ORDERS, COMPANY_REPEAT, COMPANY_BUYING, COMPANY_CHURNED, COMPANY_NEW = range(len(COMPANY_TALLIES))
REP_SUMS: Final = len(REP_TALLIES)
STAGE_SUMS: Final = len(STAGE_TALLIES)
SOURCE_SUMS: Final = len(SOURCE_TALLIES)
PRODUCT_SUMS: Final = len(PRODUCT_TALLIES)
SEGMENT_SUMS: Final = len(SEGMENT_TALLIES)
ACCOUNT_SUMS: Final = len(ACCOUNT_TALLIES)
COMPANY_SUMS: Final = len(COMPANY_TALLIES)
