"""The HTML of the pay page. Everything that came from outside is escaped."""

from html import escape
from urllib.parse import urlsplit

from nowpayments_simulator.coins import COINS
from nowpayments_simulator.js_json import number_text
from nowpayments_simulator.payment import Invoice, Outcome, Payment

STYLE = """
:root{color-scheme:light dark;--ink:#16202c;--soft:#5d6b7a;--line:#dfe5ec;--page:#f3f6f9;
--card:#fff;--accent:#1769e0;--warn:#fff4d6;--warn-ink:#6b4e00}
@media(prefers-color-scheme:dark){:root{--ink:#e8edf3;--soft:#9aa8b7;--line:#2c3846;
--page:#10161d;--card:#18212b;--accent:#4c92f5;--warn:#3a3115;--warn-ink:#f2d88b}}*{
box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}main{max-width:30rem;
margin:3rem auto;padding:0 1rem}.card{background:var(--card);border:1px solid var(--line);
border-radius:14px;padding:1.75rem}.note{background:var(--warn);color:var(--warn-ink);
border-radius:8px;padding:.5rem .75rem;font-size:.875rem}h1{font-size:2.25rem;
line-height:1.2;margin:1.25rem 0 .25rem;font-variant-numeric:tabular-nums}h2{font-size:1rem;
margin:1.75rem 0 .5rem}p{margin:.25rem 0}.soft{color:var(--soft);font-size:.9rem}form{
display:grid;gap:.6rem;margin-top:1.5rem}label{font-size:.9rem;color:var(--soft)}select,
button{width:100%;font:inherit;padding:.7rem .9rem;border-radius:9px;
border:1px solid var(--line);background:var(--card);color:var(--ink)}button{cursor:pointer}
button:hover{border-color:var(--accent)}button.main{background:var(--accent);
border-color:var(--accent);color:#fff;font-weight:600}:focus-visible{
outline:3px solid var(--accent);outline-offset:2px}table{width:100%;
border-collapse:collapse;font-size:.9rem}td{padding:.5rem 0;
border-top:1px solid var(--line);overflow-wrap:anywhere}td:last-child{text-align:right;
font-weight:600}a{color:var(--accent)}
"""
BUTTONS = {
    Outcome.FINISHED: "Pay the full amount",
    Outcome.PARTIALLY_PAID: "Pay only half of it",
    Outcome.FAILED: "Let the payment fail",
    Outcome.EXPIRED: "Let the payment expire",
}
REFRESH_S = 2


def pay_page(invoice: Invoice, payments: list[Payment]) -> str:
    """The page of one invoice with what has been paid so far; it reloads while money moves."""
    moving = any(payment.planned for payment in payments)
    amount = f"{invoice.price_amount:.2f} {invoice.price_currency.upper()}"
    content = "".join(
        (
            f"<h1>{escape(amount)}</h1>",
            f"<p>{escape(invoice.order_description or 'No description')}</p>",
            f'<p class="soft">{escape(_numbers(invoice))}</p>',
            _form(invoice),
            _payments(payments),
            _ways_back(invoice),
        )
    )
    return _page(f"Pay {amount}", content, refresh=moving)


def missing_page() -> str:
    """The page for an unknown invoice."""
    content = "<h1>No such invoice</h1><p>Please go back to the shop and open its link again.</p>"
    return _page("No such invoice", content, refresh=False)


def _page(title: str, content: str, *, refresh: bool) -> str:
    reload = f'<meta http-equiv="refresh" content="{REFRESH_S}">' if refresh else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"{reload}<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>"
        '<section class="card"><p class="note">Simulated NOWPayments: no real money moves here.</p>'
        f"{content}</section></main></body></html>"
    )


def _numbers(invoice: Invoice) -> str:
    return f"Order {invoice.order_id or 'without a number'} · Invoice {invoice.invoice_id}"


def _form(invoice: Invoice) -> str:
    chosen = invoice.pay_currency or "btc"
    options = "".join(
        f'<option value="{coin.code}"{" selected" if coin.code == chosen else ""}>'
        f"{escape(coin.name)}</option>"
        for coin in COINS.values()
    )
    buttons = "".join(
        f'<button name="outcome" value="{outcome}"'
        f"{' class=main' if outcome is Outcome.FINISHED else ''}>{text}</button>"
        for outcome, text in BUTTONS.items()
    )
    return (
        '<form method="post"><label for="coin">Pay with</label>'
        f'<select id="coin" name="pay_currency">{options}</select>{buttons}</form>'
    )


def _payments(payments: list[Payment]) -> str:
    if not payments:
        return ""
    rows = "".join(
        f"<tr><td>{number_text(float(payment.actually_paid))} of "
        f"{number_text(float(payment.pay_amount))} {escape(payment.pay_currency.upper())}</td>"
        f"<td>{payment.payment_status.replace('_', ' ')}</td></tr>"
        for payment in payments
    )
    return f"<h2>Payments</h2><table>{rows}</table>"


def _ways_back(invoice: Invoice) -> str:
    links = (("Back to the shop", invoice.success_url), ("Cancel", invoice.cancel_url))
    shown = [f'<a href="{escape(url)}">{text}</a>' for text, url in links if url and _is_web(url)]
    return f'<h2 class="soft">{" · ".join(shown)}</h2>' if shown else ""


def _is_web(url: str) -> bool:
    # A javascript: address in a link would run on this page.
    try:
        return urlsplit(url).scheme in {"http", "https"}
    except ValueError:
        return False
