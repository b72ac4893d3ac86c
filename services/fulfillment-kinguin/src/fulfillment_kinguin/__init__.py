"""Fulfillment-kinguin: keys bought from Kinguin, once, and polled for durably.

Consumes `fulfillment.requested.kinguin`, `order.cancelled`, `delivery.updated`,
`rollout.changed` and `product.updated`; publishes `key.ready`, `fulfillment.updated`,
`stock.returned` and `offer.updated`.
"""
