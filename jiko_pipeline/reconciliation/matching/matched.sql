-- matched: rows of two records that belong together, may belong together, or were left without a choice; a row that
-- is in none of these stands alone. One row for each subject, side and row.
create or replace temp table matched (
    subject varchar,
    side varchar,
    pocket_id varchar,
    business_date date,
    row_key varchar,
    amount decimal(38, 2),
    match_group_id varchar,
    rule_id varchar,
    rule_version varchar,
    pass_no integer,
    confidence varchar,
    status varchar,
    left_total decimal(38, 2),
    right_total decimal(38, 2)
);
create or replace temp table match_rule (
    subject varchar, pass_no integer, rule_id varchar, rule_version varchar, kind varchar
);
