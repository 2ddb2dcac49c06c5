"""`deepfn bench`: speeds as ratios, both sides measured in turn in one run."""
