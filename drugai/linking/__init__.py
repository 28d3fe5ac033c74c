"""Link drugs to diseases by text and structure in one shared space."""
