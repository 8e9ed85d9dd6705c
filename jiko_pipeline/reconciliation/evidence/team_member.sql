-- team_member: the people of the team and its service users, every version, with the time of the first listing:
-- what was true before it is told by nobody.
select
    version.member_id,
    version.role,
    version.member_status,
    version.known_from_utc,
    version.known_to_utc,
    version.known_from_utc = min(version.known_from_utc) over () as is_of_first_listing
from core.team_member as version
where version.customer_id = getvariable('customer_id')
