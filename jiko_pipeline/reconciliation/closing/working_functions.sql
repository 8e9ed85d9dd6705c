-- closing_carried_cents(left, quantity, cost, face, elapsed, term): amortised cost of the part of a lot that is left,
-- straight-line after `elapsed` of `term` days, in whole cents, rounded half up; integers only. Without a term it is
-- the part of the cost.
-- closing_effective_cents: the same at the constant daily rate that carries the cost to the face (the interest method),
-- in double precision, rounded to whole cents.
-- closing_money(cents): whole cents as money, null as 0.
create or replace temp macro closing_carried_cents(left_quantity, quantity, cost, face, elapsed, term) as
    case
        when term <= 0 then (2 * left_quantity::hugeint * cost + quantity) // (2 * quantity::hugeint)
        else (2 * left_quantity::hugeint * (cost * (term - elapsed) + face * elapsed) + quantity::hugeint * term)
            // (2 * quantity::hugeint * term)
    end;

create or replace temp macro closing_effective_cents(left_quantity, quantity, cost, face, elapsed, term) as
    case
        when term <= 0 or cost <= 0 then (2 * left_quantity::hugeint * cost + quantity) // (2 * quantity::hugeint)
        else cast(round(
            cast(left_quantity as double) / quantity * cost * pow(cast(face as double) / cost, cast(elapsed as double) / term)
        ) as hugeint)
    end;

create or replace temp macro closing_money(cents) as
    cast(cast(coalesce(cents, 0) as decimal(30, 0)) * 0.01 as decimal(38, 2));
