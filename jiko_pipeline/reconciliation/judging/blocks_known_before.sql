-- Documents of days that this run does not judge and that failed a gate when they were judged.
insert into blocked_document
select
    split_part(result.entity_key, ' ', 1),
    result.pocket_id,
    result.business_date,
    result.control_id,
    result.break_id
from recon.result as result
left join judged_day
    on judged_day.pocket_id = result.pocket_id
    and judged_day.business_date = result.business_date
where result.customer_id = getvariable('customer_id')
  and result.status = 'BREAK'
  and result.control_id in (select unnest($gates))
  and result.business_date between getvariable('history_first') and getvariable('following_last')
  and judged_day.pocket_id is null
