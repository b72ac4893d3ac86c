"""Orders: the catalogue, the orders, and which source serves each line.

Publishes `order.placed`, `order.cancelled`, `fulfillment.requested.*`, `rollout.changed` and
`product.updated`; consumes what payments, fulfilment and delivery say about an order, and what
Kinguin's offers cost.
"""
