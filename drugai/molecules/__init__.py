"""All the chemistry: libraries in and out, parsing, standardization, fingerprints, descriptors, scaffolds, alerts, similarity, drawing."""
