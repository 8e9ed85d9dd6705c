-- security_issue: the days on which a bill was first issued or issued again, around the time that judging looks at.
select distinct stated.cusip, stated.issue_date
from staging.security_reference as stated
where stated.known_to_utc is null
  and stated.issue_date between getvariable('history_first') - 14 and getvariable('following_last') + 30
