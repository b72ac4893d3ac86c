"""Fulfillment-kinguin: keys bought from Kinguin, once, and polled for durably.

Consumes `fulfillment.requested.kinguin`, `order.cancelled` and `rollout.changed`;
publishes `key.ready`, `fulfillment.updated` and `stock.returned`.
"""
