"""Whether all counts add up: nginx's own, the replicas', and what replicas that ended left behind."""
