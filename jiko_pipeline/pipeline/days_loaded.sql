-- The days that the documents loaded by a run speak of. A report or a listing over a wider range than the window, ordered
-- by another run, is loaded whole; facts have to reach as far, or a control sees a listing without its rows.
-- Monthly statements are dated by their month and give no facts.
-- Parameters: customer_id, run_id.
select min(first_date), max(last_date)
from raw.document
where customer_id = ?
    and loaded_run_id = ?
    and document_kind <> 'MONTHLY_STATEMENTS'
