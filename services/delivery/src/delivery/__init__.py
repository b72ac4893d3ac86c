"""Delivery: encrypts keys, keeps them in R2, mails a link, and reveals them to the buyer.

Consumes `key.ready`, `order.cancelled` and `email.requested`; publishes
`delivery.updated`. The only service that can open what was sealed.
"""
