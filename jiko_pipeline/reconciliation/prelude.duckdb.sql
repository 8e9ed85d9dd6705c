-- The functions that control files may call, for DuckDB; every engine has a file with the same signatures.
-- days_between(a, b): whole days from date a to date b.
-- mv_of(face, price): money of a face amount at a price per 100, rounded half away from zero to cents. The face
-- is narrowed first: a product of two wide decimals would overflow, a division would leave exact arithmetic.
create or replace temp macro days_between(a, b) as date_diff('day', a, b);
create or replace temp macro mv_of(face, price) as
    cast(round(cast(face as decimal(24, 2)) * cast(price as decimal(12, 6)) * 0.01, 2) as decimal(38, 2));
