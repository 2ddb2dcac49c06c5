"""Recognition of action units: the classifiers, the metric, the protocol, and the bank that trains thousands
of them.
"""
