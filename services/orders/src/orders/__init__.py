"""Orders: the catalogue, the orders, and which source serves each line.

Publishes `order.placed`, `order.cancelled`, `fulfillment.requested.*` and
`rollout.changed`; consumes what payments, fulfilment and delivery say about an order.
"""
