-- Days whose open rows add up: all open rows of one pocket and day on the left against all of one day on the right,
-- within the window, when the sums agree, more than one row is on a side, and neither day has a choice. Never a match:
-- a person decides. Parameters: pass_no, right_reference, window_first, window_last, tolerance.
insert into match_suggestion
with open_left as (
    select match_left.*
    from match_left
    anti join match_pair on match_pair.left_no = match_left.row_no
    where match_left.row_no not in (select left_no from match_candidate where not is_only)
),
open_right as (
    select match_right.*
    from match_right
    anti join match_pair on match_pair.right_no = match_right.row_no
    where match_right.row_no not in (select right_no from match_candidate where not is_only)
      and ($right_reference = 'ANY' or reference is null)
),
left_day as (
    select attributes, bd_idx, sum(amount) as total, count(*) as row_count, min(row_no) as group_no
    from open_left
    group by attributes, bd_idx
),
right_day as (
    select attributes, bd_idx, sum(amount) as total, count(*) as row_count
    from open_right
    group by attributes, bd_idx
),
candidate as (
    select
        left_day.attributes,
        left_day.bd_idx as left_idx,
        right_day.bd_idx as right_idx,
        left_day.group_no,
        left_day.row_count + right_day.row_count as row_count,
        count(*) over (partition by left_day.attributes, left_day.bd_idx) as right_choices,
        count(*) over (partition by right_day.attributes, right_day.bd_idx) as left_choices
    from left_day
    join right_day
        on right_day.attributes = left_day.attributes
        and right_day.bd_idx between left_day.bd_idx + $window_first and left_day.bd_idx + $window_last
        and abs(right_day.total - left_day.total) <= $tolerance
),
chosen as (
    select attributes, left_idx, right_idx, group_no
    from candidate
    where left_choices = 1 and right_choices = 1 and row_count > 2
)
select 'LEFT' as side, open_left.row_no, chosen.group_no, cast($pass_no as integer) as pass_no
from chosen
join open_left on open_left.attributes = chosen.attributes and open_left.bd_idx = chosen.left_idx
union all
select 'RIGHT' as side, open_right.row_no, chosen.group_no, cast($pass_no as integer) as pass_no
from chosen
join open_right on open_right.attributes = chosen.attributes and open_right.bd_idx = chosen.right_idx
