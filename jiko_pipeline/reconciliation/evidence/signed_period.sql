-- signed_period: days that are signed off now, with the moment of signing: the latest signature of a period that no
-- reopening answers. pocket_id is empty for a legal entity as a whole.
select
    signed.pocket_id,
    signed.first_date,
    signed.last_date,
    max(signed.at_utc) as signed_at_utc
from recon.signoff as signed
where signed.customer_id = getvariable('customer_id')
  and signed.status = 'SIGNED'
  and signed.last_date >= getvariable('history_first')
  and signed.first_date <= getvariable('following_last')
  and not exists (
      select 1 from recon.signoff as reopened
      where reopened.customer_id = signed.customer_id
        and reopened.status = 'REOPENED'
        and reopened.answers_seq = signed.signoff_seq
  )
group by signed.pocket_id, signed.first_date, signed.last_date
