"""What a row of a table holds beside its request."""


class CarriedColumns(dict[str, object]):
    """Columns that are no field of a request and go into the manifest with the item, as JSON.

    It is the ``context`` of a request that was made from a row; any other context is written nowhere.
    """
