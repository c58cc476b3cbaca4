"""Parcel: shipping labels of an account, of a vendor that does not exist. What a further vendor's folder holds."""
