-- security: all bills of the reference lists.
select fact.* from core.security as fact
