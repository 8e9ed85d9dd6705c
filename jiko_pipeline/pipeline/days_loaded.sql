-- The days that the documents loaded by a run speak of, of some kinds. A report or a listing over a wider range than the
-- window, ordered by another run, is loaded whole; what is built has to reach as far, or a control sees a listing
-- without its rows. Parameters: customer_id, run_id, kinds.
select min(first_date), max(last_date)
from raw.document
where customer_id = ?
    and loaded_run_id = ?
    and document_kind in (select unnest(?))
