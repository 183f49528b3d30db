"""A threaded embedding kernel, to know what FBGEMM's single-threaded CPU kernel costs end to end. Not a back end."""
