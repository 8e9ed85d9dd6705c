-- The matches of one subject, one row a matched, ambiguous or suggested row of either side, with the sums of its group.
-- Ambiguous rows of the same attributes and amount make one group. Parameter: subject.
insert into matched
with ambiguous as (
    select match_left.attributes, match_left.amount, match_candidate.left_no, match_candidate.right_no,
        match_candidate.pass_no
    from match_candidate
    join match_left on match_left.row_no = match_candidate.left_no
    where not match_candidate.is_only
),
grouped as (
    select ambiguous.*, min(left_no) over (partition by attributes, amount, pass_no) as group_no
    from ambiguous
),
told as (
    select 'LEFT' as side, left_no as row_no, left_no as group_no, pass_no, 'MATCHED' as status
    from (select distinct left_no, pass_no from match_pair) as paired
    union all
    select 'RIGHT' as side, right_no as row_no, left_no as group_no, pass_no, 'MATCHED' as status
    from match_pair
    union all
    select distinct 'LEFT' as side, left_no as row_no, group_no, pass_no, 'AMBIGUOUS' as status
    from grouped
    union all
    select 'RIGHT' as side, right_no as row_no, min(group_no) as group_no, pass_no, 'AMBIGUOUS' as status
    from grouped
    group by right_no, pass_no
    union all
    select side, row_no, group_no, pass_no, 'SUGGESTED' as status
    from match_suggestion
),
sided as (
    select 'LEFT' as side, row_no, pocket_id, business_date, row_key, amount from match_left
    union all
    select 'RIGHT' as side, row_no, pocket_id, business_date, row_key, amount from match_right
)
select
    $subject as subject,
    told.side,
    sided.pocket_id,
    sided.business_date,
    sided.row_key,
    sided.amount,
    sha256(concat_ws('|', $subject, first_row.pocket_id, cast(first_row.business_date as varchar), first_row.row_key))
        as match_group_id,
    match_rule.rule_id,
    match_rule.rule_version,
    told.pass_no,
    case
        when told.status <> 'MATCHED' then 'SUGGESTED'
        when match_rule.kind = 'ATTRIBUTES' then 'EXACT_ATTR'
        else 'EXACT_REF'
    end as confidence,
    told.status,
    coalesce(sum(sided.amount) filter (where told.side = 'LEFT') over whole, 0) as left_total,
    coalesce(sum(sided.amount) filter (where told.side = 'RIGHT') over whole, 0) as right_total
from told
join sided on sided.side = told.side and sided.row_no = told.row_no
join match_left as first_row on first_row.row_no = told.group_no
join match_rule on match_rule.subject = $subject and match_rule.pass_no = told.pass_no
window whole as (partition by told.group_no, told.status)
