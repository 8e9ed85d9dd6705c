-- Pairs of rows that bear the same reference within the same scope. A reference borne more than once on a side pairs
-- its first row; the others stay open, for nothing tells them apart. Parameter: pass_no.
insert into match_pair
with named as (
    select match_left.row_no as left_no, match_right.row_no as right_no
    from match_left
    join match_right on match_right.reference = match_left.reference and match_right.scope = match_left.scope
    anti join match_pair as taken_left on taken_left.left_no = match_left.row_no
    anti join match_pair as taken_right on taken_right.right_no = match_right.row_no
),
first_right as (
    select left_no, min(right_no) as right_no
    from named
    group by left_no
)
select min(left_no) as left_no, right_no, cast($pass_no as integer) as pass_no
from first_right
group by right_no
