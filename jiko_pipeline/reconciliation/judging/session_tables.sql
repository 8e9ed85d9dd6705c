-- The working tables of one run: raw answers of controls, judged answers, documents that block others.
create or replace temp table control_input (control_id varchar, document_kind varchar);
create or replace temp table answer (
    control_id varchar,
    control_major varchar,
    is_chained boolean,
    is_gated boolean,
    pocket_id varchar,
    business_date date,
    entity_key varchar,
    status varchar,
    code varchar,
    sub_code varchar,
    reason varchar,
    left_value decimal(38, 6),
    right_value decimal(38, 6),
    difference decimal(38, 6),
    detail varchar
);
create or replace temp table judged_result (
    control_id varchar,
    control_major varchar,
    pocket_id varchar,
    business_date date,
    entity_key varchar,
    status varchar,
    code varchar,
    sub_code varchar,
    reason varchar,
    left_value decimal(38, 6),
    right_value decimal(38, 6),
    difference decimal(38, 6),
    detail varchar,
    blocked_by varchar,
    root_break_id varchar,
    break_id varchar
);
create or replace temp table blocked_document (
    document_kind varchar,
    pocket_id varchar,
    business_date date,
    control_id varchar,
    break_id varchar
);
