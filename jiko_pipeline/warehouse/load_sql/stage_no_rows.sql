-- A frame of the batch without rows, as a temporary table with what the other statements ask of it.
-- Placeholder: {rows} (temporary table).
create or replace temp table {rows} (document_no integer, scope_date date, row_hash varchar);
