-- The working tables of matching one subject. match_pair holds the rows that belong together: one pair a row, so that
-- a row of the left side that has two of the right stands twice. match_candidate holds what attributes leave open,
-- match_suggestion the days whose rows add up. All rows go by their row_no, unique on each side.
create or replace temp table match_pair (left_no bigint, right_no bigint, pass_no integer);
create or replace temp table match_candidate (left_no bigint, right_no bigint, pass_no integer, is_only boolean);
create or replace temp table match_suggestion (side varchar, row_no bigint, group_no bigint, pass_no integer);
