"""Storefront: the pages a customer opens. It holds no data and sees no key.

The page of a mailed link posts the link's token straight to delivery; the token stands
after `#` and reaches no server but that one.
"""
