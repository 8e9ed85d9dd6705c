-- Schema 2: the file counts its commits, so that a log beside it can tell when some are lost.
alter table meta.world add column file_id varchar;
alter table meta.world add column commit_count bigint;
update meta.world set file_id = replace(cast(uuid() as varchar), '-', ''), commit_count = 0;
