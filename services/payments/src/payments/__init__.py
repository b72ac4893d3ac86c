"""Payments: from an order to an invoice, and from notifications to money that is checked.

Consumes `order.placed`, `order.cancelled` and `payment.accepted`; publishes
`payment.updated` and `payment.confirmed`. What NOWPayments says in a notification is only
believed after asking NOWPayments.
"""
