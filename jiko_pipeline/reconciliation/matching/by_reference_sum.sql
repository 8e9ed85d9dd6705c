-- One row of the left with all rows of the right that bear its reference on its days, when they add up to it: the only
-- way in which more than one row belongs to one. Parameters: pass_no, window_first, window_last, tolerance.
insert into match_pair
with open_left as (
    select match_left.*, count(*) over (partition by scope, reference, bd_idx) as alike
    from match_left
    anti join match_pair on match_pair.left_no = match_left.row_no
    where reference is not null
),
named as (
    select
        open_left.row_no as left_no,
        match_right.row_no as right_no,
        open_left.amount,
        sum(match_right.amount) over (partition by open_left.row_no) as right_amount,
        count(*) over (partition by match_right.row_no) as lefts
    from open_left
    join match_right
        on match_right.reference = open_left.reference
        and match_right.scope = open_left.scope
        and match_right.bd_idx between open_left.bd_idx + $window_first and open_left.bd_idx + $window_last
    anti join match_pair on match_pair.right_no = match_right.row_no
    where open_left.alike = 1
),
claimed as (
    select named.*, max(lefts) over (partition by left_no) as most_lefts
    from named
)
select left_no, right_no, cast($pass_no as integer) as pass_no
from claimed
where most_lefts = 1 and abs(amount - right_amount) <= $tolerance
