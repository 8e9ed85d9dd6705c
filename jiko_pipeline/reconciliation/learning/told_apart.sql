-- For every two choices of a part of the basis the pocket-days of the judged span on which their answers differ: what
-- the history has to tell the one from the other by. No row for choices of which no day says anything.
with fact as (
    select basis_fit.pocket_id, basis_fit.business_date, part, choice, agrees
    from basis_fit
    join (select min(business_date) as first_date, max(business_date) as last_date from judged_day) as span
        on basis_fit.business_date between span.first_date and span.last_date
)
select a.part, a.choice, b.choice as other_choice, count(*) filter (where a.agrees <> b.agrees) as days_apart
from fact as a
join fact as b
    on b.part = a.part
    and b.pocket_id = a.pocket_id
    and b.business_date = a.business_date
    and b.choice > a.choice
group by a.part, a.choice, b.choice
order by a.part, a.choice, b.choice
