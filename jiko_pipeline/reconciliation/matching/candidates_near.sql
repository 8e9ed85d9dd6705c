-- As candidates.sql, for amounts that may be up to `tolerance` apart: open rows of kinds that do not contradict
-- each other, the right one within the window of business days after the left one; is_only where neither has a choice.
-- Parameters: pass_no, right_reference, window_first, window_last, window_last_waiting,
-- tolerance.
insert into match_candidate
with open_left as (
    select match_left.* from match_left anti join match_pair on match_pair.left_no = match_left.row_no
),
open_right as (
    select match_right.*
    from match_right
    anti join match_pair on match_pair.right_no = match_right.row_no
    where $right_reference = 'ANY' or match_right.reference is null
),
candidate as (
    select open_left.row_no as left_no, open_right.row_no as right_no
    from open_left
    join open_right
        on open_right.attributes = open_left.attributes
        and open_right.amount between open_left.amount - $tolerance and open_left.amount + $tolerance
        and (open_right.family is null or open_right.family = open_left.family)
        and open_right.bd_idx >= open_left.bd_idx + $window_first
        and open_right.bd_idx
            <= open_left.bd_idx + case when open_left.may_wait then $window_last_waiting else $window_last end
)
select
    left_no,
    right_no,
    cast($pass_no as integer) as pass_no,
    count(*) over (partition by left_no) = 1 and count(*) over (partition by right_no) = 1 as is_only
from candidate
