"""`deepfn check`: what is in licensed folders, is it whole, can it be used?"""
