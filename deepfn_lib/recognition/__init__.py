"""Recognition of action units: the classifiers, the protocol, and the bank that trains thousands of them."""
