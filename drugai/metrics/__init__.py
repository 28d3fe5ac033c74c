"""Arrays → numbers with confidence intervals."""
