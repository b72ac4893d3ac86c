"""Fulfillment-custom: keys from the shop's own stock.

Consumes `fulfillment.requested.custom`, `order.cancelled` and `stock.returned`;
publishes `key.ready`, `fulfillment.updated` and `stock.updated`.
"""
