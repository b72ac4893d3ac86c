"""Titles for the catalogue: invented, in the manner of real ones.

The order of `TITLES` fixes ids: the first is product 1. Append only, since
the sample catalogue of the stack refers to them.
"""

TITLES = (
    ("Ember Hollow", "Adventure", "Steam"),
    ("Starlane Couriers", "Simulation", "Steam"),
    ("Iron Tides II", "Strategy", "Steam"),
    ("Gloamwood: The Last Warden", "RPG", "Steam"),
    ("Circuit Saints", "Racing", "EA App"),
    ("Nine Lanterns", "Puzzle", "Steam"),
    ("Frostbound Colony", "Survival", "Steam"),
    ("Vector Knights", "Action", "GOG COM"),
    ("Harbour of Thieves", "Adventure", "Ubisoft Connect"),
    ("Quiet Orbit", "Simulation", "Steam"),
    ("Thornfall Deluxe Edition", "RPG", "Steam"),
    ("Paper Dragons", "Indie", "Steam"),
    ("Rally Meridian 24", "Racing", "Steam"),
    ("The Cartographer's Debt", "Adventure", "GOG COM"),
    ("Sunken Parliament", "Strategy", "Steam"),
    ("Kettle & Crow", "Indie", "Steam"),
    ("Dustline Outlaws", "Action", "Rockstar Games"),
    ("Zero Season", "Sport", "EA App"),
    ("Mycelia", "Simulation", "Steam"),
    ("Last Train to Varnholm", "Adventure", "Steam"),
    ("Abyssal Foundry", "Strategy", "Steam"),
    ("Songs of the Salt Road", "RPG", "Steam"),
    ("Neon Bailiff", "Action", "Epic Games"),
    ("Tiny Republic", "Simulation", "Steam"),
    ("Hexen Gardener", "Puzzle", "Steam"),
    ("Ashen Pact - Season Pass", "RPG", "Xbox Live"),
    ("Gift Wallet 10 EUR", "Prepaid", "Kinguin"),
    ("Polar Express Freight", "Simulation", "Steam"),
    ("Sold Out: The Waiting Game", "Indie", "Steam"),
    ("Two Left Feet", "Sport", "Steam"),
    ("Beyond the Amber Gate", "RPG", "Steam"),
    ("Wholesale Wars", "Strategy", "Steam"),
    ("Tomorrow's Dawn", "RPG", "Steam"),
)
FIRST_WORDS = (
    "Silent", "Crimson", "Hollow", "Endless", "Broken", "Golden", "Frozen", "Hidden", "Burning",
    "Distant", "Electric", "Forgotten", "Savage", "Velvet", "Wandering", "Copper",
)  # fmt: skip
SECOND_WORDS = (
    "Empire", "Horizon", "Kingdom", "Circuit", "Harvest", "Legion", "Voyage", "Citadel", "Oath",
    "Frontier", "Requiem", "Uprising", "Sanctum", "Odyssey", "Protocol", "Reckoning",
)  # fmt: skip
GENRES = ("Action", "Adventure", "Indie", "Prepaid", "Puzzle", "Racing", "RPG", "Simulation",
          "Sport", "Strategy", "Survival")  # fmt: skip
PLATFORMS = ("EA App", "Epic Games", "GOG COM", "Kinguin", "Rockstar Games", "Steam",
             "Ubisoft Connect", "Xbox Live")  # fmt: skip
REGIONS = {1: "Europe", 2: "United States", 3: "REGION FREE", 4: "Other", 5: "Outside Europe"}
STUDIOS = ("Larkspur Works", "Nine Bridges", "Oddgate", "Pale Harbour Games", "Tin Orchard")
