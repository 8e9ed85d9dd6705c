-- Takes the working tables of matching away.
drop table if exists temp.match_pair;
drop table if exists temp.match_candidate;
drop table if exists temp.match_suggestion;
drop table if exists temp.match_left;
drop table if exists temp.match_right;
drop table if exists temp.match_rule;
