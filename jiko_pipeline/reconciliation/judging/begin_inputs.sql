-- Begins the inputs that this run took in and the one before it had not. Parameters: run_seq, legal_entity_id.
insert into recon.input_version by name
select
    getvariable('customer_id') as customer_id,
    $legal_entity_id as legal_entity_id,
    document_kind,
    scope_pocket_id,
    scope_date,
    content_hash,
    finality,
    is_refused,
    document_sha256,
    cast($run_seq as bigint) as from_run_seq,
    cast(null as bigint) as to_run_seq
from run_input
where (document_kind, scope_pocket_id, scope_date, content_hash, finality, is_refused) not in (
    select (document_kind, scope_pocket_id, scope_date, content_hash, finality, is_refused)
    from recon.input_version
    where customer_id = getvariable('customer_id')
      and to_run_seq is null
      and (
          scope_date between getvariable('history_first') and getvariable('following_last')
          or scope_date = date '0001-01-01'
      )
)
order by document_kind, scope_date, scope_pocket_id, content_hash, finality
