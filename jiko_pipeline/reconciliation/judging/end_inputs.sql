-- Ends the inputs in sight that this run no longer took in. Parameter: run_seq.
update recon.input_version
set to_run_seq = cast($run_seq as bigint)
where customer_id = getvariable('customer_id')
  and to_run_seq is null
  and (
      scope_date between getvariable('history_first') and getvariable('following_last')
      or scope_date = date '0001-01-01'
  )
  and (document_kind, scope_pocket_id, scope_date, content_hash, finality, is_refused) not in (
      select (document_kind, scope_pocket_id, scope_date, content_hash, finality, is_refused) from run_input
  )
