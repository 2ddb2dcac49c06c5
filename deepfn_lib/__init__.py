"""The plumbing of the DeepFN study: what two chapters need, or what is no idea of the paper.

The paper: J. Hernandez, D. McDuff, O. Rudovic, A. Fung, M. Czerwinski, "DeepFN: Towards Generalizable Facial
Action Unit Recognition with Deep Face Normalization", ACII 2022. At import nothing is computed, and no more imported
than sets other programs' settings aside.
"""

from . import device  # noqa: F401

__version__ = "0.1.0"
