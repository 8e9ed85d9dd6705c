-- Pairs of rows of which neither had a choice. Parameter: pass_no.
insert into match_pair
select left_no, right_no, pass_no
from match_candidate
where is_only and pass_no = $pass_no
