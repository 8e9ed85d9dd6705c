-- closing_carried_cents(left, quantity, cost, face, elapsed, term): amortised cost of the part of a lot that is left,
-- straight-line after `elapsed` of `term` days, in whole cents, rounded half up; integers only.
-- closing_money(cents): whole cents as money, null as 0.
create or replace temp macro closing_carried_cents(left_quantity, quantity, cost, face, elapsed, term) as
    case
        when term <= 0 then (2 * left_quantity::hugeint * cost + quantity) // (2 * quantity::hugeint)
        else (2 * left_quantity::hugeint * (cost * (term - elapsed) + face * elapsed) + quantity::hugeint * term)
            // (2 * quantity::hugeint * term)
    end;

create or replace temp macro closing_money(cents) as
    cast(cast(coalesce(cents, 0) as decimal(30, 0)) * 0.01 as decimal(38, 2));
