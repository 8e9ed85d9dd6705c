-- Every way in which the bank may book, held against the facts in basis_fit of the judged days (pocket, or the whole
-- family when $pocket is null): days tested, days on which every part of it agrees, days that tell it from another
-- one, and the verdict. A choice is beaten by another that agrees on at least $enough days on which it does not, while
-- the reverse holds on at most a tenth as many. Where even the best choice of a part agrees on fewer than nine days in
-- ten, nothing that we know explains the bank: UNEXPLAINED, and no tuple survives.
-- Parameters: pocket, enough.
with fact as (
    select basis_fit.pocket_id, basis_fit.business_date, part, choice, agrees
    from basis_fit
    join (select min(business_date) as first_date, max(business_date) as last_date from judged_day) as span
        on basis_fit.business_date between span.first_date and span.last_date
    where $pocket is null or basis_fit.pocket_id in ($pocket, '')
),
choice_of_part as (
    select 'LEDGER' as part, choice
    from (select distinct choice from fact where part = 'LEDGER')
    union
    select 'UNIT', factor from (values ('1'), ('0.01'), ('10')) as one (factor)
    union
    select 'FEE', path from (values ('BROKERAGE'), ('BANK')) as one (path)
    union
    select 'MARK', mark from (values ('T0'), ('T1')) as one (mark)
),
contest as (
    select
        a.part, a.choice as better, b.choice as worse,
        count(*) filter (where a.agrees and not b.agrees) as days_for,
        count(*) filter (where b.agrees and not a.agrees) as days_against
    from fact as a
    join fact as b
        on b.part = a.part
        and b.pocket_id = a.pocket_id
        and b.business_date = a.business_date
        and b.choice <> a.choice
    group by a.part, a.choice, b.choice
),
beaten as (
    select distinct part, worse as choice
    from contest
    where days_for >= $enough and days_against * 10 <= days_for
),
explained as (
    select part, max(share) as best_share
    from (
        select part, choice, avg(case when agrees then 1.0 else 0.0 end) as share
        from fact
        group by part, choice
    )
    group by part
),
part_verdict as (
    select
        choice_of_part.part, choice_of_part.choice,
        case
            when explained.best_share < 0.9 then 'UNEXPLAINED'
            when beaten.choice is not null then 'BEATEN'
            else 'SURVIVES'
        end as verdict
    from choice_of_part
    left join beaten on beaten.part = choice_of_part.part and beaten.choice = choice_of_part.choice
    left join explained on explained.part = choice_of_part.part
),
tuple as (
    select
        ledger.choice as ledger, unit.choice as unit, fee.choice as fee, mark.choice as mark,
        case
            when 'UNEXPLAINED' in (ledger.verdict, unit.verdict, fee.verdict, mark.verdict) then 'UNEXPLAINED'
            when 'BEATEN' in (ledger.verdict, unit.verdict, fee.verdict, mark.verdict) then 'BEATEN'
            else 'SURVIVES'
        end as verdict
    from part_verdict as ledger
    cross join part_verdict as unit
    cross join part_verdict as fee
    cross join part_verdict as mark
    where ledger.part = 'LEDGER' and unit.part = 'UNIT' and fee.part = 'FEE' and mark.part = 'MARK'
),
tuple_day as (
    select ledger, unit, fee, mark, pocket_id, business_date, bool_and(agrees) as agrees
    from tuple
    join fact
        on (fact.part = 'LEDGER' and fact.choice = tuple.ledger)
        or (fact.part = 'UNIT' and fact.choice = tuple.unit)
        or (fact.part = 'FEE' and fact.choice = tuple.fee)
        or (fact.part = 'MARK' and fact.choice = tuple.mark)
    group by ledger, unit, fee, mark, pocket_id, business_date
),
telling as (
    select pocket_id, business_date
    from tuple_day
    group by pocket_id, business_date
    having bool_or(agrees) and not bool_and(agrees)
),
counted as (
    select
        ledger, unit, fee, mark,
        count(*) as tested,
        count(*) filter (where agrees) as agreeing,
        count(*) filter (where agrees and telling.business_date is not null) as telling
    from tuple_day
    left join telling using (pocket_id, business_date)
    group by ledger, unit, fee, mark
)
select
    split_part(tuple.ledger, ' ', 1) as pos_basis,
    split_part(tuple.ledger, ' ', 2) as cash_basis,
    split_part(tuple.ledger, ' ', 3) as close_basis,
    split_part(tuple.ledger, ' ', 4) as gain_basis,
    cast(tuple.unit as decimal(12, 6)) as quantity_factor,
    tuple.fee as fee_path,
    tuple.mark as mark_settlement,
    coalesce(counted.tested, 0) as days_tested,
    coalesce(counted.agreeing, 0) as days_agreeing,
    coalesce(counted.telling, 0) as days_telling,
    case
        when tuple.verdict = 'SURVIVES' and count(*) over (partition by tuple.verdict) = 1 then 'CHOSEN'
        else tuple.verdict
    end as verdict
from tuple
left join counted
    on counted.ledger = tuple.ledger
    and counted.unit = tuple.unit
    and counted.fee = tuple.fee
    and counted.mark = tuple.mark
order by days_agreeing desc, days_telling desc, 1, 2, 3, 4, 5, 6, 7
