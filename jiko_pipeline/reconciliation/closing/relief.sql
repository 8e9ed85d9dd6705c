-- closing_relief: how much of each CUSIP has been sold, repaid or sent away up to and with each day.
create or replace temp table closing_relief as
select pocket_id, cusip, effective_on,
    sum(quantity) over (partition by pocket_id, cusip order by effective_on) as relieved_to
from (
    select booked.pocket_id, booked.cusip, booked.effective_on, sum(booked.quantity) as quantity
    from closing_flow as booked
    join closing_origin as origin on origin.pocket_id = booked.pocket_id
    where booked.direction = -1
        and booked.cusip is not null
        and booked.quantity is not null
        and (origin.opens_empty or booked.effective_on > origin.start_date)
    group by booked.pocket_id, booked.cusip, booked.effective_on
) as relief_of_day
