"""Section 3.1: faces moved onto one template face, by the paper's autoencoder and by cheaper relatives of it."""
