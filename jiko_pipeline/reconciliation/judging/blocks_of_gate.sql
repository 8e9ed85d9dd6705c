-- Documents that failed the gate that has just been judged.
insert into blocked_document
select split_part(entity_key, ' ', 1), pocket_id, business_date, control_id, break_id
from judged_result
where control_id = $control_id and status = 'BREAK'
