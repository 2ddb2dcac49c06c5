"""What is measured on faces and predictions: score, nearness, expression kept, identity left. Arrays in, tables out."""
